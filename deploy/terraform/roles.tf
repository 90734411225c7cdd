# Each function has only the permissions that it uses.

locals {
  products_table = aws_dynamodb_table.this["products"].arn
  access_table   = aws_dynamodb_table.this["access"].arn
  domain         = "arn:${local.partition}:es:${local.region}:${local.account}:domain/${local.search_domain}"

  statements = {
    command = [
      {
        Effect = "Allow"
        Action = [
          "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
          "dynamodb:PutItem", "dynamodb:Query",
        ]
        Resource = [local.products_table]
      },
      # Checks, lists, creates and revokes keys, and removes those that ended long ago.
      {
        Effect = "Allow"
        Action = [
          "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
        ]
        Resource = [local.access_table]
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
        Resource = [aws_sqs_queue.changes.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
        Resource = [aws_sqs_queue.dead_letters.arn]
      },
    ]

    query = [
      # Checks keys, and records their use.
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        Resource = [local.access_table]
      },
      # Read-only access to the index.
      {
        Effect   = "Allow"
        Action   = ["es:ESHttpGet"]
        Resource = ["${local.domain}/noren-products*"]
      },
      {
        Effect   = "Allow"
        Action   = ["es:ESHttpPost"]
        Resource = ["${local.domain}/noren-products/_search", "${local.domain}/noren-products/_mget"]
      },
      # A point in time, which several searches of one request share; its id is in the body.
      {
        Effect = "Allow"
        Action = ["es:ESHttpPost", "es:ESHttpDelete"]
        Resource = [
          "${local.domain}/_search",
          "${local.domain}/noren-products/_search/point_in_time",
          "${local.domain}/_search/point_in_time",
        ]
      },
    ]

    sync = [
      # Lambda receives and deletes messages with the permissions of the function.
      {
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [aws_sqs_queue.changes.arn]
      },
      # Compares the table with the index.
      {
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource = [local.products_table]
      },
      {
        Effect   = "Allow"
        Action   = ["es:ESHttpPost"]
        Resource = ["${local.domain}/noren-products/_mget", "${local.domain}/noren-products/_search"]
      },
      # Lists the indexes.
      {
        Effect   = "Allow"
        Action   = ["es:ESHttpGet"]
        Resource = ["${local.domain}/noren-products*"]
      },
      # Writes the live index, and the one that `noren reindex` is building.
      {
        Effect = "Allow"
        Action = ["es:ESHttpPost"]
        Resource = [
          "${local.domain}/noren-products/_bulk",
          "${local.domain}/noren-products/_refresh",
          "${local.domain}/noren-products-next/_bulk",
          "${local.domain}/noren-products-next/_refresh",
        ]
      },
      # Creates the first index. No function may remove one.
      {
        Effect   = "Allow"
        Action   = ["es:ESHttpPut"]
        Resource = ["${local.domain}/_index_template/noren-products", "${local.domain}/noren-products-v*"]
      },
    ]
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "${local.prefix}-${each.key}"
  tags     = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = title(each.key)
  role     = aws_iam_role.function[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
        },
        # Traces have no resources.
        {
          Effect   = "Allow"
          Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
          Resource = ["*"]
        },
      ],
      local.statements[each.key],
    )
  })
}

resource "aws_iam_role_policy_attachment" "vpc" {
  for_each   = local.is_in_vpc ? local.functions : {}
  role       = aws_iam_role.function[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}
