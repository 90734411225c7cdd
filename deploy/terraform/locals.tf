data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  # Names and tags have the stage, so that two stages in one account differ.
  prefix = "${var.name}-${var.stage}"
  tags   = { "noren:stage" = var.stage }

  creates_domain  = var.opensearch_endpoint == ""
  is_in_vpc       = length(var.vpc_subnet_ids) > 0
  sends_alarms    = var.alarm_email != ""
  verifies        = var.verify_sample > 0
  watches_charges = local.region == "us-east-1" && var.estimated_charges_alarm > 0

  search_domain   = local.creates_domain ? aws_opensearch_domain.this[0].domain_name : var.opensearch_domain_name
  search_endpoint = local.creates_domain ? "https://${aws_opensearch_domain.this[0].endpoint}" : var.opensearch_endpoint
}
