# Alarms: everything that loses requests or changes raises one. deploy/README.md says what to do about each.

locals {
  # By default, an alarm compares one period of 300 s and is raised at the threshold and above it.
  alarms = {
    CommandErrors = {
      description = "Command has errors"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.this["command"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    CommandDuration = {
      description = "The p99 duration of Command exceeds two thirds of its timeout"
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = { FunctionName = aws_lambda_function.this["command"].function_name }
      statistic   = "p99"
      periods     = 3
      threshold   = 20000
    }
    QueryErrors = {
      description = "Query has errors"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.this["query"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    QueryDuration = {
      description = "The p99 duration of Query exceeds 2 s, which shoppers notice"
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = { FunctionName = aws_lambda_function.this["query"].function_name }
      statistic   = "p99"
      periods     = 3
      threshold   = 2000
    }
    SyncErrors = {
      description = "Sync has errors"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.this["sync"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    SyncDuration = {
      description = "The p99 duration of Sync exceeds two thirds of its timeout"
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = { FunctionName = aws_lambda_function.this["sync"].function_name }
      statistic   = "p99"
      periods     = 3
      threshold   = 40000
    }
    OldestChange = {
      description = "A change has waited ten minutes for indexing"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.changes.name }
      statistic   = "Maximum"
      period      = 60
      periods     = 5
      threshold   = 600
    }
    DeadLettersNotEmpty = {
      description = "A change failed five times and is in the dead-letter queue; the log of Sync has the reason"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
      statistic   = "Maximum"
      threshold   = 1
    }
    ApiFailures = {
      description = "More than 5% of the responses of the API are 5xx; no error of a function, if it answered them itself"
      namespace   = "AWS/ApiGateway"
      metric      = "5xx"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id, Stage = "$default" }
      statistic   = "Average"
      threshold   = 0.05
    }
    CommandThrottles = {
      description = "Command is throttled; its reserved concurrency or that of the account is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = { FunctionName = aws_lambda_function.this["command"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    QueryThrottles = {
      description = "Query is throttled; its reserved concurrency or that of the account is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = { FunctionName = aws_lambda_function.this["query"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    SyncThrottles = {
      description = "Sync is throttled; its reserved concurrency or that of the account is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = { FunctionName = aws_lambda_function.this["sync"].function_name }
      statistic   = "Sum"
      threshold   = 1
    }
    DomainRed = {
      description = "A part of the index is on no instance of the domain, so searches miss products or fail"
      namespace   = "AWS/ES"
      metric      = "ClusterStatus.red"
      dimensions  = { ClientId = local.account, DomainName = local.search_domain }
      statistic   = "Maximum"
      period      = 60
      threshold   = 1
    }
    DomainStorage = {
      description = "The disk of an instance of the domain is nearly full"
      namespace   = "AWS/ES"
      metric      = "FreeStorageSpace"
      dimensions  = { ClientId = local.account, DomainName = local.search_domain }
      statistic   = "Minimum"
      period      = 60
      threshold   = var.opensearch_free_storage_megabytes
      comparison  = "LessThanOrEqualToThreshold"
    }
    DomainWritesBlocked = {
      description = "The domain rejects writes, for lack of disk space or memory"
      namespace   = "AWS/ES"
      metric      = "ClusterIndexWritesBlocked"
      dimensions  = { ClientId = local.account, DomainName = local.search_domain }
      statistic   = "Maximum"
      threshold   = 1
    }
    DomainMemory = {
      description = "The memory of the domain is nearly used up; it will reject requests"
      namespace   = "AWS/ES"
      metric      = "JVMMemoryPressure"
      dimensions  = { ClientId = local.account, DomainName = local.search_domain }
      statistic   = "Maximum"
      period      = 60
      periods     = 3
      threshold   = 95
    }
    TableWriteThrottles = {
      description = "Writes to the table are throttled"
      namespace   = "AWS/DynamoDB"
      metric      = "WriteThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.this["products"].name }
      statistic   = "Sum"
      threshold   = 1
    }
    TableReadThrottles = {
      description = "Reads of the table are throttled"
      namespace   = "AWS/DynamoDB"
      metric      = "ReadThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.this["products"].name }
      statistic   = "Sum"
      threshold   = 1
    }
    TableWriteErrors = {
      description = "DynamoDB failed to answer TransactWriteItems"
      namespace   = "AWS/DynamoDB"
      metric      = "SystemErrors"
      dimensions  = { TableName = aws_dynamodb_table.this["products"].name, Operation = "TransactWriteItems" }
      statistic   = "Sum"
      threshold   = 1
    }
    TableReadErrors = {
      description = "DynamoDB failed to answer GetItem"
      namespace   = "AWS/DynamoDB"
      metric      = "SystemErrors"
      dimensions  = { TableName = aws_dynamodb_table.this["products"].name, Operation = "GetItem" }
      statistic   = "Sum"
      threshold   = 1
    }
    CommandServerErrors = {
      description = "Command answered a request with 5xx, which Lambda does not count as an error"
      namespace   = "Noren"
      metric      = "ServerErrors"
      dimensions  = { service = "noren-command", stage = var.stage }
      statistic   = "Sum"
      threshold   = 1
    }
    QueryServerErrors = {
      description = "Query answered a request with 5xx, which Lambda does not count as an error"
      namespace   = "Noren"
      metric      = "ServerErrors"
      dimensions  = { service = "noren-query", stage = var.stage }
      statistic   = "Sum"
      threshold   = 1
    }
    CommandMemory = {
      description = "Command uses 90% of its memory; Lambda ends an instance that exceeds it"
      namespace   = "Noren"
      metric      = "MemoryUtilization"
      dimensions  = { service = "noren-command", stage = var.stage }
      statistic   = "Maximum"
      threshold   = 90
    }
    QueryMemory = {
      description = "Query uses 90% of its memory; Lambda ends an instance that exceeds it"
      namespace   = "Noren"
      metric      = "MemoryUtilization"
      dimensions  = { service = "noren-query", stage = var.stage }
      statistic   = "Maximum"
      threshold   = 90
    }
    SyncMemory = {
      description = "Sync uses 90% of its memory; Lambda ends an instance that exceeds it"
      namespace   = "Noren"
      metric      = "MemoryUtilization"
      dimensions  = { service = "noren-sync", stage = var.stage }
      statistic   = "Maximum"
      threshold   = 90
    }
  }

  verify_alarms = {
    # For a day, because the comparison runs once in a day.
    VerifyDifferences = {
      description = "The index differs from the table in the sample that Sync compared"
      namespace   = "Noren"
      metric      = "VerifyDifferences"
      dimensions  = { service = "noren-sync", stage = var.stage }
      statistic   = "Maximum"
      period      = 86400
      threshold   = 0
      comparison  = "GreaterThanThreshold"
    }
  }

  alarm_actions = local.sends_alarms ? [aws_sns_topic.alarms[0].arn] : []
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = merge(local.alarms, local.verifies ? local.verify_alarms : {})
  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = lookup(each.value, "period", 300)
  evaluation_periods  = lookup(each.value, "periods", 1)
  threshold           = each.value.threshold
  comparison_operator = lookup(each.value, "comparison", "GreaterThanOrEqualToThreshold")
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

resource "aws_sns_topic" "alarms" {
  count = local.sends_alarms ? 1 : 0
  name  = "${local.prefix}-alarms"
  tags  = local.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  count     = local.sends_alarms ? 1 : 0
  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_sns_topic_policy" "alarms" {
  count = local.sends_alarms ? 1 : 0
  arn   = aws_sns_topic.alarms[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, service in { Alarms = "cloudwatch.amazonaws.com", Budgets = "budgets.amazonaws.com" } : {
        Sid                        = sid
        Effect                     = "Allow"
        Principal                  = { Service = service }
        Action                     = "sns:Publish"
        Resource                   = aws_sns_topic.alarms[0].arn
        Condition                  = { StringEquals = { "aws:SourceAccount" = local.account } }
      }
    ]
  })
}
