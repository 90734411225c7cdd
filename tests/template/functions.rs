//! The time limits of the functions against what they promise, and the engine of the index.

use std::time::Duration;

use opensearch_index::SEARCH_TIMEOUT;
use runtime::lambda::RESPONSE_MARGIN;
use search_parameters::MAX_SYNC_TIMEOUT;

use super::{Template, file};

/// The time that API Gateway waits for a function.
const API_GATEWAY: Duration = Duration::from_secs(30);

fn timeout(template: &Template, function: &str) -> Duration {
    Duration::from_secs(template.properties(function)["Timeout"].as_u64().unwrap())
}

#[test]
fn a_function_may_run_longer_than_its_longest_answer_takes() {
    let template = Template::load();
    let longest = MAX_SYNC_TIMEOUT + SEARCH_TIMEOUT + RESPONSE_MARGIN;
    assert!(timeout(&template, "Query") > longest, "{longest:?}");
    for function in ["Command", "Query"] {
        let timeout = timeout(&template, function);
        assert!(timeout < API_GATEWAY, "{function} ends before API Gateway stops waiting: {timeout:?}");
    }
}

#[test]
fn another_engine_version_upgrades_the_domain() {
    let template = Template::load();
    assert_eq!(template.0["Resources"]["Domain"]["UpdatePolicy"]["EnableVersionUpgrade"], true);
    assert_eq!(template.properties("Domain")["EngineVersion"]["Ref"], "OpenSearchVersion");
    let default = template.0["Parameters"]["OpenSearchVersion"]["Default"].as_str().unwrap();
    let version = default.strip_prefix("OpenSearch_").unwrap();
    assert!(file("deploy/README.md").contains(&format!("OpenSearch {version}")), "{version}");
}

#[test]
fn the_log_of_the_domain_is_kept() {
    let template = Template::load();
    let log = &template.properties("Domain")["LogPublishingOptions"]["ES_APPLICATION_LOGS"];
    assert_eq!(log["CloudWatchLogsLogGroupArn"]["Fn::GetAtt"], "DomainLogs.Arn");
    assert_eq!(template.0["Resources"]["Domain"]["DependsOn"], "DomainLogsPolicy");
    let policy = template.properties("DomainLogsPolicy")["PolicyDocument"]["Fn::Sub"].as_str().unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    assert_eq!(policy["Statement"][0]["Principal"]["Service"], "es.amazonaws.com");
}

/// Sync reads the table to compare it with the index. It must not write it.
#[test]
fn a_schedule_lets_sync_compare_a_sample_with_the_table() {
    let template = Template::load();
    let target = &template.properties("SyncVerify")["Targets"][0];
    assert_eq!(target["Arn"]["Fn::GetAtt"], "Sync.Arn");
    let input = target["Input"]["Fn::Sub"].as_str().unwrap();
    let input: serde_json::Value = serde_json::from_str(&input.replace("${VerifySample}", "100")).unwrap();
    assert_eq!(input, serde_json::json!({"verifySample": 100}));
    let variables = &template.properties("Sync")["Environment"]["Variables"];
    assert_eq!(
        (&variables["NOREN_STORE"], &variables["NOREN_DYNAMODB_TABLE"]["Ref"]),
        (&"dynamodb".into(), &"Table".into())
    );
    let statements = &template.properties("SyncRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let on_the_table = statements
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["Resource"]["Fn::GetAtt"] == "Table.Arn");
    let actions = super::texts(&on_the_table.unwrap()["Action"]);
    assert_eq!(actions, ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]);
}
