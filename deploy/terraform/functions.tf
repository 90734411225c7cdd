# The three functions, what invokes them, and their logs.

locals {
  folder = coalesce(var.functions, "${path.module}/../../target/functions")

  # An empty variable counts as unset.
  common_variables = {
    NOREN_STAGE                 = var.stage
    NOREN_ACCESS_LOG            = var.access_log
    OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint
    NOREN_ACCESS                = var.access
    NOREN_ANONYMOUS             = var.anonymous_search
    NOREN_ROOT_KEY_HASH         = var.root_key_hash
    NOREN_JWKS                  = var.jwt_keys
    NOREN_JWT_ISSUER            = var.jwt_issuer
    NOREN_JWT_AUDIENCE          = var.jwt_audience
    NOREN_ACCESS_STORE          = "dynamodb"
    NOREN_ACCESS_TABLE          = aws_dynamodb_table.this["access"].name
  }
  store_variables = {
    NOREN_STORE          = "dynamodb"
    NOREN_DYNAMODB_TABLE = aws_dynamodb_table.this["products"].name
    NOREN_QUEUE          = "sqs"
    NOREN_SQS_QUEUE      = aws_sqs_queue.changes.url
  }
  index_variables = {
    NOREN_INDEX = "opensearch"
    # The policies contain this name.
    NOREN_OPENSEARCH_INDEX = "noren-products"
    NOREN_OPENSEARCH_URL   = local.search_endpoint
    NOREN_LANGUAGE         = var.language
  }

  functions = {
    command = {
      description = "Stores products"
      timeout     = 29
      reserved    = var.command_reserved_concurrency
      provisioned = var.command_provisioned_concurrency
      variables   = merge(local.store_variables, { NOREN_CURRENCY = var.currency, NOREN_HTML = var.html })
    }
    query = {
      description = "Answers searches"
      # Longer than the longest answer: a search that waits 10 s for a write. API Gateway waits 30 s.
      timeout     = 29
      reserved    = var.query_reserved_concurrency
      provisioned = var.query_provisioned_concurrency
      variables = merge(local.index_variables, {
        NOREN_CURRENCY      = var.currency
        NOREN_CACHE_SECONDS = var.cache_seconds
      })
    }
    sync = {
      description = "Applies changes to the index"
      timeout     = 60
      reserved    = var.sync_reserved_concurrency
      provisioned = 0
      # Creates the index if there is none.
      variables = merge(local.store_variables, local.index_variables, { NOREN_CREATE_TABLES = "true" })
    }
  }
  # The functions that the API invokes.
  api_functions = toset(["command", "query"])
  # The API invokes the alias of a function that has provisioned instances, which are of a published version.
  provisioned = { for name, function in local.functions : name => function.provisioned if function.provisioned > 0 }
}

resource "aws_lambda_function" "this" {
  for_each         = local.functions
  function_name    = "${local.prefix}-${each.key}"
  description      = each.value.description
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  filename         = "${local.folder}/noren-${each.key}.zip"
  source_code_hash = filebase64sha256("${local.folder}/noren-${each.key}.zip")
  memory_size      = 512
  timeout          = each.value.timeout
  # -1 reserves none.
  reserved_concurrent_executions = each.value.reserved > 0 ? each.value.reserved : -1
  publish                        = contains(local.api_functions, each.key)
  tags                           = local.tags
  # A function that starts before its role has its permissions would fail.
  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy_attachment.vpc]

  environment {
    variables = merge(local.common_variables, each.value.variables)
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = local.is_in_vpc ? [true] : []
    content {
      subnet_ids         = var.vpc_subnet_ids
      security_group_ids = var.vpc_security_group_ids
    }
  }
}

resource "aws_lambda_alias" "live" {
  for_each         = local.api_functions
  name             = "live"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  for_each                          = local.provisioned
  function_name                     = aws_lambda_function.this[each.key].function_name
  qualifier                         = aws_lambda_alias.live[each.key].name
  provisioned_concurrent_executions = each.value
}

resource "aws_lambda_event_source_mapping" "changes" {
  function_name    = aws_lambda_function.this["sync"].function_name
  event_source_arn = aws_sqs_queue.changes.arn
  # A batch ends with one refresh of the index, so changes that arrive together share it.
  batch_size                         = 500
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]

  # OpenSearch would reject the writes of more concurrent batches.
  scaling_config {
    maximum_concurrency = 10
  }
}

# Changes that a crash or an unreachable queue left in the outbox are enqueued within a minute.
resource "aws_cloudwatch_event_rule" "relay" {
  name                = "${local.prefix}-relay"
  description         = "Enqueues changes left in the outbox"
  schedule_expression = "rate(1 minute)"
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "relay" {
  rule      = aws_cloudwatch_event_rule.relay.name
  target_id = "Command"
  arn       = aws_lambda_function.this["command"].arn
}

resource "aws_lambda_permission" "relay" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["command"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.relay.arn
}

resource "aws_cloudwatch_event_rule" "verify" {
  count               = local.verifies ? 1 : 0
  name                = "${local.prefix}-verify"
  description         = "Compares a sample of the table with the index"
  schedule_expression = var.verify_every
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "verify" {
  count     = local.verifies ? 1 : 0
  rule      = aws_cloudwatch_event_rule.verify[0].name
  target_id = "Sync"
  arn       = aws_lambda_function.this["sync"].arn
  input     = jsonencode({ verifySample = var.verify_sample })
}

resource "aws_lambda_permission" "verify" {
  count         = local.verifies ? 1 : 0
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["sync"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.verify[0].arn
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/noren/${local.prefix}/${each.key}"
  retention_in_days = 14
  tags              = local.tags
}
