# What is spent. Both are of the whole account: a filter by tag would miss what has no tags, such as data transfer.

resource "aws_budgets_budget" "this" {
  count        = var.monthly_budget > 0 ? 1 : 0
  name         = local.prefix
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"
  tags         = local.tags
  depends_on   = [aws_sns_topic_policy.alarms]

  dynamic "notification" {
    for_each = local.sends_alarms ? [80, 100] : []
    content {
      notification_type         = "ACTUAL"
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = local.alarm_actions
    }
  }
}

# Billing metrics are in this region only.
resource "aws_cloudwatch_metric_alarm" "charges" {
  count               = local.watches_charges ? 1 : 0
  alarm_name          = "${local.prefix}-Charges"
  alarm_description   = "The account has charges above the limit in this month"
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  dimensions          = { Currency = "USD" }
  statistic           = "Maximum"
  period              = 86400
  evaluation_periods  = 1
  threshold           = var.estimated_charges_alarm
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}
