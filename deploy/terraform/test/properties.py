"""How the properties of a resource in the template are named in the module.

By default, the attribute `cluster_config.instance_type` is the property `ClusterConfig.InstanceType`. This file has what
differs. An attribute that is here without a type belongs to the first resource of a row in resources.tsv, and
`aws_iam_role_policy.policy` to that of the type `aws_iam_role_policy` in this row."""

import json
import re

# Tags of SAM, which Terraform does not add.
SAM_TAGS = {"lambda:createdBy", "httpapi:createdBy"}

# What a reference to a resource of the template is in the module; `Ref` is None.
REFERENCES = {
    "AWS::ApiGatewayV2::Api": {None: "id"},
    "AWS::DynamoDB::Table": {None: "name", "Arn": "arn"},
    "AWS::Events::Rule": {"Arn": "arn"},
    "AWS::IAM::Role": {"Arn": "arn"},
    "AWS::Lambda::Alias": {None: "arn"},
    "AWS::Lambda::Function": {None: "function_name", "Arn": "arn"},
    "AWS::Lambda::Version": {"Version": "version"},
    "AWS::Logs::LogGroup": {None: "name", "Arn": "arn"},
    "AWS::OpenSearchService::Domain": {None: "domain_name", "DomainEndpoint": "endpoint"},
    "AWS::SNS::Topic": {None: "arn"},
    "AWS::SQS::Queue": {None: "url", "Arn": "arn", "QueueName": "name"},
}

# Names that the module must choose, where the template may leave it to CloudFormation.
NAMES = {
    "aws_cloudwatch_event_rule": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_lambda_function": "function_name",
    "aws_opensearch_domain": "domain_name",
    "aws_sns_topic": "name",
    "aws_sqs_queue": "name",
}

# Arguments that say what Terraform would do without them.
DEFAULTS = {
    ("aws_lambda_function", "publish"): "false",
    ("aws_lambda_function", "reserved_concurrent_executions"): "-1",
}

# Attributes without a property, each for a reason.
ONLY_IN_THE_MODULE = {
    # The packages: the template names folders that SAM packs and uploads.
    ("aws_lambda_function", "filename"),
    ("aws_lambda_function", "source_code_hash"),
    # The provider requires the format; that of the template is the default of Lambda.
    ("aws_lambda_function", "logging_config.log_format"),
    # The default of HTTP APIs in the template; those of the document are in its body.
    ("aws_apigatewayv2_api", "protocol_type"),
    ("aws_apigatewayv2_api", "name"),
    ("aws_apigatewayv2_api", "version"),
}

# Arguments that name the first resource of the row, by an attribute of that.
BELONGS = {
    ("aws_cloudwatch_event_target", "rule"): "name",
    ("aws_iam_role_policy", "role"): "name",
    ("aws_iam_role_policy_attachment", "role"): "name",
    ("aws_lambda_provisioned_concurrency_config", "function_name"): "function_name",
    ("aws_lambda_provisioned_concurrency_config", "qualifier"): "name",
    ("aws_sns_topic_subscription", "topic_arn"): "arn",
}

RENAMED = {
    "AWS::ApiGatewayV2::Stage": {"StageName": "name"},
    "AWS::Budgets::Budget": {
        "Budget.BudgetName": "name", "Budget.BudgetType": "budget_type", "Budget.TimeUnit": "time_unit",
        "Budget.BudgetLimit.Amount": "limit_amount", "Budget.BudgetLimit.Unit": "limit_unit", "ResourceTags": "tags",
    },
    "AWS::CloudWatch::Alarm": {"OKActions": "ok_actions"},
    "AWS::DynamoDB::Table": {
        "TimeToLiveSpecification.AttributeName": "ttl.attribute_name",
        "TimeToLiveSpecification.Enabled": "ttl.enabled",
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": "point_in_time_recovery.enabled",
        "SSESpecification.SSEEnabled": "server_side_encryption.enabled",
    },
    "AWS::IAM::Role": {"AssumeRolePolicyDocument": "assume_role_policy"},
    "AWS::Lambda::EventSourceMapping": {"MaximumBatchingWindowInSeconds": "maximum_batching_window_in_seconds"},
    "AWS::Logs::LogGroup": {"LogGroupName": "name"},
    "AWS::OpenSearchService::Domain": {
        "EncryptionAtRestOptions.Enabled": "encrypt_at_rest.enabled",
        "NodeToNodeEncryptionOptions.Enabled": "node_to_node_encryption.enabled",
        "DomainEndpointOptions.EnforceHTTPS": "domain_endpoint_options.enforce_https",
        "DomainEndpointOptions.TLSSecurityPolicy": "domain_endpoint_options.tls_security_policy",
        "EBSOptions.EBSEnabled": "ebs_options.ebs_enabled",
        "EBSOptions.VolumeType": "ebs_options.volume_type",
        "EBSOptions.VolumeSize": "ebs_options.volume_size",
    },
    "AWS::SQS::Queue": {
        "QueueName": "name", "VisibilityTimeout": "visibility_timeout_seconds",
        "MessageRetentionPeriod": "message_retention_seconds",
        "ReceiveMessageWaitTimeSeconds": "receive_wait_time_seconds", "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
    },
    "AWS::SNS::TopicPolicy": {"PolicyDocument": "policy"},
    "AWS::SQS::QueuePolicy": {"PolicyDocument": "policy"},
}

# Properties and attributes whose members are no attributes: maps with any keys, and documents.
WHOLE = {
    "AccessPolicies", "AssumeRolePolicyDocument", "Body", "PolicyDocument", "RedriveAllowPolicy", "RedrivePolicy", "Tags",
    "ResourceTags", "Variables", "dimensions", "tags", "variables",
}


def snake(path):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path).lower()


def flat(value, path=()):
    """Yields (path, value) of each member that has no members of its own."""
    if isinstance(value, dict) and value and (not path or path[-1] not in WHOLE):
        for name, member in value.items():
            yield from flat(member, (*path, name))
    else:
        yield ".".join(path), value


def plain(value):
    """Returns a value as it is compared: scalars as texts, documents as their contents, sets in order."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}" if abs(value) < 1e5 else str(int(value))
    if isinstance(value, str):
        return plain(json.loads(value)) if value.startswith("{") else value
    if isinstance(value, list):
        # Neither these blocks and statements nor these lists of words have an order.
        return sorted(map(plain, value), key=json.dumps)
    members = {name: plain(member) for name, member in sorted(value.items()) if member is not None}
    for name in ("Action", "Resource"):
        if name in members:
            members[name] = sorted([members[name]] if isinstance(members[name], str) else members[name])
    return members


# ------------------------------------------------------------------------------------------------------ template


def reshaped(kind, properties, planned):
    """Takes out the properties that the module has in another shape. Returns the attributes that they are there."""
    for name in ("Tags", "ResourceTags"):
        if isinstance(properties.get(name), list):
            properties[name] = {tag["Key"]: tag["Value"] for tag in properties[name]}
        if name in properties:
            properties[name] = {key: value for key, value in properties[name].items() if key not in SAM_TAGS}
    if kind == "AWS::Lambda::Permission":
        return permission(properties, planned)
    return RESHAPED[kind](properties) if kind in RESHAPED else {}


def table(properties):
    attributes = sorted(properties.pop("AttributeDefinitions"), key=lambda attribute: attribute["AttributeName"])
    keys = {key["KeyType"]: key["AttributeName"] for key in properties.pop("KeySchema")}
    return {
        "attribute": [{"name": each["AttributeName"], "type": each["AttributeType"]} for each in attributes],
        "hash_key": keys["HASH"],
        "range_key": keys["RANGE"],
    }


def queue_policy(properties):
    [queue] = properties.pop("Queues")
    return {"queue_url": queue}


def topic(properties):
    [subscription] = properties.pop("Subscription")
    return {f"aws_sns_topic_subscription.{name.lower()}": value for name, value in subscription.items()}


def topic_policy(properties):
    [arn] = properties.pop("Topics")
    return {"arn": arn}


def alarm(properties):
    return {"dimensions": {each["Name"]: each["Value"] for each in properties.pop("Dimensions")}}


def domain(properties):
    [(log, options)] = properties.pop("LogPublishingOptions").items()
    arn = log_group(options["CloudWatchLogsLogGroupArn"])
    options = {"cloudwatch_log_group_arn": arn, "enabled": options["Enabled"], "log_type": log}
    attributes = {"log_publishing_options": [options]}
    zones = properties["ClusterConfig"].pop("ZoneAwarenessConfig", None)
    if zones is not None:
        attributes["cluster_config.zone_awareness_config.availability_zone_count"] = zones["AvailabilityZoneCount"]
    return attributes


def role(properties):
    [policy] = properties.pop("Policies")
    attributes = {
        "aws_iam_role_policy.name": policy["PolicyName"], "aws_iam_role_policy.policy": policy["PolicyDocument"],
    }
    if managed := properties.pop("ManagedPolicyArns", []):
        [attributes["aws_iam_role_policy_attachment.policy_arn"]] = managed
    return attributes


def function(properties):
    properties.pop("Code")
    return {}


def version(properties):
    """A version is published with the function. Its description only causes that, which the module needs no help for."""
    properties.clear()
    return {"publish": True}


def alias(properties):
    provisioned = properties.pop("ProvisionedConcurrencyConfig", None)
    if provisioned is None:
        return {}
    name = "aws_lambda_provisioned_concurrency_config.provisioned_concurrent_executions"
    return {name: provisioned["ProvisionedConcurrentExecutions"]}


def permission(properties, planned):
    """The module names an alias apart from its function."""
    alias = re.search(r":(aws_lambda_alias\..*)$", properties["FunctionName"])
    if alias is None:
        return {}
    properties["FunctionName"] = planned[alias[1]]["function_name"]
    return {"qualifier": planned[alias[1]]["name"]}


def stage(properties):
    settings = properties["AccessLogSettings"]
    settings["DestinationArn"] = log_group(settings["DestinationArn"])
    return {}


def log_group(arn):
    """As a destination, the ARN of a log group may include that of its streams, as CloudFormation has it, or not."""
    return arn.removesuffix(":*")


def rule(properties):
    [target] = properties.pop("Targets")
    target["target_id"] = target.pop("Id")
    return {f"aws_cloudwatch_event_target.{name.lower()}": value for name, value in target.items()}


def api(properties):
    """SAM has the CORS lists and the tags in the document. The module has the lists beside it, and the tags there, too."""
    body = properties["Body"]
    body["tags"] = [tag for tag in body["tags"] if tag["name"] not in SAM_TAGS]
    tags = {tag["name"]: tag["x-amazon-apigateway-tag-value"] for tag in body["tags"]}
    lists = {f"cors_configuration.{snake(name)}": value for name, value in body.pop("x-amazon-apigateway-cors").items()}
    return {"tags": tags, **lists}


def budget(properties):
    notifications = [
        {
            **{snake(name): value for name, value in each["Notification"].items()},
            "subscriber_sns_topic_arns": [subscriber["Address"] for subscriber in each["Subscribers"]],
        }
        for each in properties.pop("NotificationsWithSubscribers", [])
    ]
    return {"notification": notifications} if notifications else {}


RESHAPED = {
    "AWS::ApiGatewayV2::Api": api,
    "AWS::ApiGatewayV2::Stage": stage,
    "AWS::Budgets::Budget": budget,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::DynamoDB::Table": table,
    "AWS::Events::Rule": rule,
    "AWS::IAM::Role": role,
    "AWS::Lambda::Alias": alias,
    "AWS::Lambda::Function": function,
    "AWS::Lambda::Version": version,
    "AWS::OpenSearchService::Domain": domain,
    "AWS::SNS::Topic": topic,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SQS::QueuePolicy": queue_policy,
}


def of_template(kind, properties, planned):
    """Returns the attributes that a resource of the template has in the module, with their values. `planned` are the resources
    of the module."""
    attributes = reshaped(kind, properties, planned)
    for path, value in flat(properties):
        if value not in ([], {}):
            attributes[RENAMED.get(kind, {}).get(path) or snake(path)] = value
    return {name: plain(value) for name, value in attributes.items()}


# -------------------------------------------------------------------------------------------------------- module


def of_module(kind, values, written, schema):
    """Returns the attributes of a planned resource that the module sets. `written` are its arguments and blocks in the
    sources."""
    attributes = {path: plain(value) for path, value in flat(block_values(values, written, schema))}
    return {path: value for path, value in attributes.items() if DEFAULTS.get((kind, path)) != value}


def block_values(values, written, schema):
    """Returns the values of a block without what is unset or chosen by AWS. A block that may occur once is a map. A dynamic block
    is not among those that are written."""
    blocks, result = schema.get("block_types", {}), {}
    for name, value in values.items():
        if value in (None, [], {}):
            continue
        if name in blocks:
            sources = written.get(name)
            sources = sources if isinstance(sources, list) else [sources or dict.fromkeys(value[0])] * len(value)
            inner = [block_values(each, source, blocks[name]["block"]) for each, source in zip(value, sources, strict=True)]
            value = inner[0] if blocks[name].get("max_items") == 1 else inner
        elif name not in written or not is_argument(schema["attributes"][name]):
            continue
        result[name] = value
    return result


def is_argument(attribute):
    return bool(attribute.get("optional") or attribute.get("required"))
