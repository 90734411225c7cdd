# The tables, and the queue of changes with its dead-letter queue.

locals {
  # The table of API keys has a schema like that of the products.
  tables = { products = "${local.prefix}-products", access = "${local.prefix}-access" }
  queues = { changes = aws_sqs_queue.changes, dead_letters = aws_sqs_queue.dead_letters }
  # The dead-letter queue names the queues that may use it. A reference would be a cycle, because this queue refers to it.
  changes_queue     = "${var.name}-changes"
  changes_queue_arn = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.changes_queue}"
}

resource "aws_dynamodb_table" "this" {
  for_each                    = local.tables
  name                        = each.value
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = true
  tags                        = local.tags

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

resource "aws_sqs_queue" "changes" {
  name = local.changes_queue
  # Six times the timeout of Sync plus its batching window, so that no batch is delivered again while it is being processed.
  visibility_timeout_seconds = 361
  message_retention_seconds  = 1209600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = 5 })
  tags                       = local.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.prefix}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  redrive_allow_policy      = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [local.changes_queue_arn] })
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "this" {
  for_each  = local.queues
  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
