output "url" {
  description = "Address of the API"
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "table_name" {
  description = "Table of all products"
  value       = aws_dynamodb_table.this["products"].name
}

output "access_table_name" {
  description = "Table of API keys"
  value       = aws_dynamodb_table.this["access"].name
}

output "queue_url" {
  description = "Queue of changes to index"
  value       = aws_sqs_queue.changes.url
}

output "dead_letters_url" {
  description = "Queue of changes that could not be indexed"
  value       = aws_sqs_queue.dead_letters.url
}

output "command_function" {
  description = "Function that stores products"
  value       = aws_lambda_function.this["command"].function_name
}

output "query_function" {
  description = "Function that answers searches"
  value       = aws_lambda_function.this["query"].function_name
}

output "sync_function" {
  description = "Function that applies changes to the index"
  value       = aws_lambda_function.this["sync"].function_name
}

output "search_endpoint" {
  description = "Address of OpenSearch"
  value       = local.search_endpoint
}
