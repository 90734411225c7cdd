# A new OpenSearch domain, unless there is one. The index can be rebuilt from the table.

resource "aws_opensearch_domain" "this" {
  count          = local.creates_domain ? 1 : 0
  domain_name    = local.prefix
  engine_version = var.opensearch_version
  tags           = local.tags
  depends_on     = [aws_cloudwatch_log_resource_policy.domain]

  cluster_config {
    instance_type          = var.opensearch_instance_type
    instance_count         = var.opensearch_instance_count
    zone_awareness_enabled = var.opensearch_instance_count > 1

    dynamic "zone_awareness_config" {
      for_each = var.opensearch_instance_count > 1 ? [2] : []
      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.opensearch_volume_gigabytes
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  log_publishing_options {
    log_type                 = "ES_APPLICATION_LOGS"
    enabled                  = true
    cloudwatch_log_group_arn = aws_cloudwatch_log_group.domain[0].arn
  }

  # Every identity of this account may sign requests; the policies of the functions restrict them.
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
      Action    = "es:ESHttp*"
      Resource  = "arn:${local.partition}:es:${local.region}:${local.account}:domain/*/*"
    }]
  })
}

resource "aws_cloudwatch_log_group" "domain" {
  count             = local.creates_domain ? 1 : 0
  name              = "/noren/${local.prefix}/domain"
  retention_in_days = 14
  tags              = local.tags
}

resource "aws_cloudwatch_log_resource_policy" "domain" {
  count       = local.creates_domain ? 1 : 0
  policy_name = "${var.name}-domain-logs"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # An ARN of Terraform lacks the part for the streams.
      Resource  = "${aws_cloudwatch_log_group.domain[0].arn}:*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}
