//! The queue: how Lambda delivers its messages, and who may use it.

use serde_json::json;

use super::Template;

#[test]
fn changes_that_arrive_together_are_one_batch() {
    let template = Template::load();
    let mapping = &template.properties("Sync")["Events"]["Changes"]["Properties"];
    let size = mapping["BatchSize"].as_u64().unwrap();
    assert!((100..=10_000).contains(&size), "{size}: Lambda allows at most 10,000 messages");
    let window = mapping["MaximumBatchingWindowInSeconds"].as_u64().unwrap();
    assert!(window >= 1, "Lambda requires a window for more than 10 messages");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    // By Lambda's advice, so that no batch is delivered again while it is being processed.
    let timeout = template.properties("Sync")["Timeout"].as_u64().unwrap();
    assert_eq!(template.properties("Queue")["VisibilityTimeout"], 6 * timeout + window);
}

#[test]
fn a_message_that_fails_five_times_is_kept_as_a_dead_letter_of_this_queue() {
    let template = Template::load();
    let redrive = &template.properties("Queue")["RedrivePolicy"];
    assert_eq!(redrive["deadLetterTargetArn"]["Fn::GetAtt"], "DeadLetters.Arn");
    assert_eq!(redrive["maxReceiveCount"], 5);
    let name = template.properties("Queue")["QueueName"]["Fn::Sub"].as_str().unwrap();
    let allowed = &template.properties("DeadLetters")["RedriveAllowPolicy"];
    assert_eq!(allowed["redrivePermission"], "byQueue");
    let sources = allowed["sourceQueueArns"].as_array().unwrap();
    let arn = format!("arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}");
    assert_eq!(*sources, [json!({"Fn::Sub": arn})]);
}

#[test]
fn every_queue_takes_calls_over_tls_only() {
    let template = Template::load();
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    for (queue, _) in template.of_type("AWS::SQS::Queue") {
        let policy = policies.iter().find(|(_, policy)| policy["Queues"] == json!([{"Ref": queue}]));
        let statement =
            &policy.unwrap_or_else(|| panic!("{queue} has a policy")).1["PolicyDocument"]["Statement"][0];
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
        assert_eq!(statement["Action"], "sqs:*");
        assert_eq!(statement["Resource"]["Fn::GetAtt"], format!("{queue}.Arn"));
        assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    }
}
