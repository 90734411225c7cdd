# The HTTP API: its routes, and who may call them. With signatures, it passes only writes that are signed (SigV4) by an identity
# with permission to invoke them. Searches need none.

locals {
  # The function of each path. A signed path has an operation for preflight requests, because browsers do not sign them.
  signed_paths = {
    "/products"      = "Command"
    "/products/bulk" = "Command"
    "/products/{id}" = "Command"
    # Images are in S3; without NOREN_IMAGES the response is 501.
    "/products/{id}/images/{name}" = "Command"
    # Answered with 501 and what to do instead: a function keeps no files between requests.
    "/imports"                = "Command"
    "/imports/{id}"           = "Command"
    "/admin/keys"             = "Command"
    "/admin/keys/{id}"        = "Command"
    "/admin/keys/{id}/rotate" = "Command"
    # Its responses reveal drafts, so callers must be authorized.
    "/products/{id}/explain" = "Query"
    # For operators.
    "/metrics" = "Query"
  }
  open_paths = {
    "/products/search"         = "Query"
    "/products/suggest"        = "Query"
    "/products/facets/{field}" = "Query"
    "/products/{id}/similar"   = "Query"
  }

  # What all operations of a path have.
  operations = {
    for path, function in merge(local.signed_paths, local.open_paths) : path => merge(
      {
        responses                         = {}
        "x-amazon-apigateway-integration" = { "$ref" = "#/components/x-amazon-apigateway-integrations/${function}" }
      },
      {
        for names in [regexall("{([a-z]+)}", path)] :
        "parameters" => [for name in names : { name = name[0], in = "path", required = true }] if length(names) > 0
      },
    )
  }
  # A path has all its methods, so that HEAD and methods that it does not have get the answers of the service.
  paths = merge(
    {
      for path in keys(local.signed_paths) : path => {
        "x-amazon-apigateway-any-method" = merge(local.operations[path], {
          security = [for scheme in ["AWS_IAM"] : { (scheme) = [] } if var.write_signatures == "required"]
        })
        options = local.operations[path]
      }
    },
    { for path in keys(local.open_paths) : path => { "x-amazon-apigateway-any-method" = local.operations[path] } },
    # Everything else: /health/live, /health/ready, /openapi.json, and paths that do not exist.
    {
      "$default" = {
        "x-amazon-apigateway-any-method" = {
          isDefaultRoute                    = true
          responses                         = {}
          "x-amazon-apigateway-integration" = { "$ref" = "#/components/x-amazon-apigateway-integrations/Query" }
        }
      }
    },
  )
  # The function, or its alias if that has provisioned instances.
  targets = {
    for name in local.api_functions : name => (
      local.functions[name].provisioned > 0 ? aws_lambda_alias.live[name].arn : aws_lambda_function.this[name].arn
    )
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"
  version       = "1"
  tags          = local.tags

  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = var.name, version = "1" }
    paths   = local.paths

    components = {
      securitySchemes = {
        AWS_IAM = {
          type                           = "apiKey"
          name                           = "Authorization"
          in                             = "header"
          "x-amazon-apigateway-authtype" = "awsSigv4"
        }
      }
      "x-amazon-apigateway-integrations" = {
        for name, target in local.targets : title(name) => {
          type                 = "aws_proxy"
          httpMethod           = "POST"
          payloadFormatVersion = "2.0"
          uri = format(
            "arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations",
            local.partition, local.region, target,
          )
        }
      }
    }

    # An import replaces the tags.
    tags = [for name, value in local.tags : { name = name, "x-amazon-apigateway-tag-value" = value }]
  })

  # The provider removes CORS lists that are in the document alone. API Gateway answers preflight requests by these lists and
  # removes the CORS headers of the functions.
  cors_configuration {
    allow_origins = ["*"]
    allow_methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    allow_headers = [
      "accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "noren-sync-token",
      "traceparent", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-api-key", "x-request-id",
    ]
    expose_headers = [
      "age", "allow", "cache-status", "etag", "location", "noren-sync-token", "ratelimit", "ratelimit-policy", "retry-after",
      "server-timing", "traceresponse", "www-authenticate", "x-cache", "x-ratelimit-limit", "x-ratelimit-remaining",
      "x-ratelimit-reset", "x-request-id",
    ]
    max_age = 3600
  }
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = local.tags

  default_route_settings {
    throttling_burst_limit = 500
    throttling_rate_limit  = 1000
  }

  # Without paths and addresses of clients, which may name persons or reveal searches.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      requestId            = "$context.requestId"
      time                 = "$context.requestTimeEpoch"
      method               = "$context.httpMethod"
      route                = "$context.routeKey"
      status               = "$context.status"
      latencyMs            = "$context.responseLatency"
      bytes                = "$context.responseLength"
      integrationStatus    = "$context.integrationStatus"
      integrationLatencyMs = "$context.integrationLatency"
      integrationError     = "$context.integrationErrorMessage"
      error                = "$context.error.message"
    })
  }
}

resource "aws_cloudwatch_log_group" "api" {
  # Under this prefix, API Gateway does not lengthen the resource policy of the account's logs.
  name              = "/aws/vendedlogs/${local.prefix}-api"
  retention_in_days = 14
  tags              = local.tags
}

resource "aws_lambda_permission" "api" {
  for_each      = local.api_functions
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  qualifier     = local.functions[each.key].provisioned > 0 ? aws_lambda_alias.live[each.key].name : null
  principal     = "apigateway.amazonaws.com"
  source_arn    = "arn:${local.partition}:execute-api:${local.region}:${local.account}:${aws_apigatewayv2_api.this.id}/*"
}
