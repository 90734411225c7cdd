//! The alarms: everything that loses requests or changes raises one, and deploy/README.md says what to do.

use serde_json::{Value, json};

use super::{Template, file};

const FUNCTIONS: [&str; 3] = ["Command", "Query", "Sync"];

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
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert!(section.contains(&format!("`{name}`")), "deploy/README.md says what to do about {name}");
    }
    let cost = format!("- **Alarms**: {} at 0.10.", alarms.len());
    assert!(readme.contains(&cost), "deploy/README.md calculates with all alarms: {cost}");
}
