//! The alarms: everything that loses requests or changes raises one, and deploy/README.md says what to do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Template, file};

const FUNCTIONS: [&str; 3] = ["Command", "Query", "Sync"];

/// The metrics that alarms use: as AWS documents them, and `Noren` as the functions write them to their logs.
const METRICS: [(&str, &[&str]); 7] = [
    ("AWS/ApiGateway", &["5xx"]),
    ("AWS/Billing", &["EstimatedCharges"]),
    ("AWS/DynamoDB", &["ReadThrottleEvents", "SystemErrors", "WriteThrottleEvents"]),
    ("AWS/ES", &["ClusterIndexWritesBlocked", "ClusterStatus.red", "FreeStorageSpace", "JVMMemoryPressure"]),
    ("AWS/Lambda", &["Duration", "Errors", "Throttles"]),
    ("AWS/SQS", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]),
    ("Noren", &["MemoryUtilization", "ServerErrors", "VerifyDifferences"]),
];

/// The alarms on a metric, by their values of a dimension.
fn alarms_on(template: &Template, namespace: &str, metric: &str, dimension: &str) -> Vec<Value> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm").into_iter().map(|(_, alarm)| alarm);
    let alarms = alarms.filter(|alarm| alarm["Namespace"] == namespace && alarm["MetricName"] == metric);
    let value = |alarm: &Value| {
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        let found = dimensions.iter().find(|candidate| candidate["Name"] == dimension);
        found.map(|dimension| dimension["Value"].clone())
    };
    alarms.filter_map(value).collect()
}

#[test]
fn failed_throttled_and_slow_functions_raise_alarms() {
    let template = Template::load();
    for metric in ["Errors", "Throttles", "Duration"] {
        let functions = alarms_on(&template, "AWS/Lambda", metric, "FunctionName");
        assert_eq!(functions, FUNCTIONS.map(|function| json!({"Ref": function})), "{metric}");
    }
    for function in FUNCTIONS {
        let timeout = template.properties(function)["Timeout"].as_u64().unwrap() * 1000;
        let slow = template.properties(&format!("{function}Duration"))["Threshold"].as_u64().unwrap();
        assert!(slow < timeout, "{function}: {slow} of {timeout} ms");
    }
}

/// Lambda counts no error when a function itself answers 500 or 503.
#[test]
fn responses_with_5xx_raise_an_alarm_by_their_share() {
    let template = Template::load();
    assert_eq!(alarms_on(&template, "AWS/ApiGateway", "5xx", "ApiId"), [json!({"Ref": "Api"})]);
    let alarm = template.properties("ApiFailures");
    // API Gateway reports 0 or 1 for each request.
    assert_eq!(alarm["Statistic"], "Average");
    assert!(alarm["Threshold"].as_f64().unwrap() <= 0.05, "{alarm}");
}

#[test]
fn every_alarm_names_a_metric_that_exists() {
    let template = Template::load();
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let metric = alarm["MetricName"].as_str().unwrap();
        used.entry(alarm["Namespace"].as_str().unwrap()).or_default().insert(metric);
    }
    let known = METRICS.map(|(namespace, metrics)| (namespace, metrics.iter().copied().collect()));
    assert_eq!(used, known.into());
}

/// Metrics in the logs of the functions have the service and the stage as dimensions.
#[test]
fn the_metrics_of_the_functions_raise_alarms_by_service_and_stage() {
    let template = Template::load();
    let services = |functions: &[&str]| -> Vec<Value> {
        functions.iter().map(|function| json!(format!("noren-{}", function.to_lowercase()))).collect()
    };
    for (metric, functions) in [
        ("ServerErrors", &FUNCTIONS[..2]),
        ("MemoryUtilization", &FUNCTIONS),
        ("VerifyDifferences", &FUNCTIONS[2..]),
    ] {
        assert_eq!(alarms_on(&template, "Noren", metric, "service"), services(functions), "{metric}");
        let stages = alarms_on(&template, "Noren", metric, "stage");
        assert_eq!(stages, vec![json!({"Ref": "Stage"}); functions.len()], "{metric}");
    }
    let variables = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables["NOREN_STAGE"], json!({"Ref": "Stage"}));
}

/// Billing metrics are in us-east-1 only, in US dollars, and change a few times a day.
#[test]
fn charges_above_the_limit_raise_an_alarm_in_the_region_that_has_them() {
    let template = Template::load();
    assert_eq!(template.0["Resources"]["Charges"]["Condition"], "WatchesCharges");
    let condition = &template.0["Conditions"]["WatchesCharges"]["Fn::And"];
    assert_eq!(condition[0]["Fn::Equals"], json!([{"Ref": "AWS::Region"}, "us-east-1"]));
    assert_eq!(alarms_on(&template, "AWS/Billing", "EstimatedCharges", "Currency"), [json!("USD")]);
    let alarm = template.properties("Charges");
    assert_eq!(
        (&alarm["Period"], &alarm["Threshold"]["Ref"]),
        (&json!(86400), &json!("EstimatedChargesAlarm"))
    );
    assert_eq!(template.0["Parameters"]["EstimatedChargesAlarm"]["Default"], 100);
}

#[test]
fn alarms_and_the_budget_may_publish() {
    let template = Template::load();
    let policy = template.properties("AlarmTopicPolicy");
    assert_eq!(policy["Topics"], json!([{"Ref": "AlarmTopic"}]));
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let services: Vec<&Value> =
        statements.iter().map(|statement| &statement["Principal"]["Service"]).collect();
    assert_eq!(services, ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]);
    for statement in statements {
        assert_eq!(statement["Action"], "sns:Publish");
        assert_eq!(
            statement["Condition"]["StringEquals"]["aws:SourceAccount"],
            json!({"Ref": "AWS::AccountId"})
        );
    }
}

#[test]
fn the_domain_the_table_and_the_queues_raise_alarms() {
    let template = Template::load();
    for metric in ["ClusterStatus.red", "FreeStorageSpace", "ClusterIndexWritesBlocked", "JVMMemoryPressure"]
    {
        let domains = alarms_on(&template, "AWS/ES", metric, "DomainName");
        assert_eq!(domains.len(), 1, "{metric}");
        let accounts = alarms_on(&template, "AWS/ES", metric, "ClientId");
        assert_eq!(accounts, [json!({"Ref": "AWS::AccountId"})], "{metric}");
    }
    for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
        let tables = alarms_on(&template, "AWS/DynamoDB", metric, "TableName");
        assert_eq!(tables, [json!({"Ref": "Table"})], "{metric}");
    }
    let operations = alarms_on(&template, "AWS/DynamoDB", "SystemErrors", "Operation");
    assert_eq!(operations, ["GetItem", "TransactWriteItems"].map(|operation| json!(operation)));
    for (metric, queue) in
        [("ApproximateAgeOfOldestMessage", "Queue"), ("ApproximateNumberOfMessagesVisible", "DeadLetters")]
    {
        let queues = alarms_on(&template, "AWS/SQS", metric, "QueueName");
        assert_eq!(queues, [json!({"Fn::GetAtt": format!("{queue}.QueueName")})], "{metric}");
    }
}

#[test]
fn every_alarm_is_sent_and_described() {
    let template = Template::load();
    let readme = file("deploy/README.md");
    let section = readme.split("## Troubleshooting").nth(1).unwrap().split("\n## ").next().unwrap();
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    for (name, alarm) in &alarms {
        assert_eq!(alarm["AlarmActions"]["Fn::If"][0], "SendsAlarms", "{name}");
        assert_eq!(alarm["OKActions"], alarm["AlarmActions"], "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert!(section.contains(&format!("`{name}`")), "deploy/README.md says what to do about {name}");
    }
    let cost = format!("- **Alarms**: {} at 0.10.", alarms.len());
    assert!(readme.contains(&cost), "deploy/README.md calculates with all alarms: {cost}");
}
