# The parameters of ../template.yaml, in its order, and two that only this module has.

variable "name" {
  type        = string
  default     = "noren"
  description = "Name of this deployment, as the name of a stack: unique in its account and region"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}$", var.name))
    error_message = "The name has 2 to 11 letters, digits and hyphens, because names of domains are short."
  }
}

variable "functions" {
  type        = string
  default     = null
  description = "Folder of noren-command.zip, noren-query.zip and noren-sync.zip, as deploy/build.sh writes them; null is target/functions of the repository"
}

variable "stage" {
  type        = string
  default     = "prod"
  description = "Stage of this stack, for tags, names, logs and metrics; use another stage for each stack of an account"
  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{0,15})$", var.stage))
    error_message = "The value does not match [a-z][a-z0-9-]{0,15}."
  }
}

variable "currency" {
  type        = string
  default     = "USD"
  description = "Default currency of prices, ISO 4217"
  validation {
    condition     = can(regex("^([A-Z]{3})$", var.currency))
    error_message = "The value does not match [A-Z]{3}."
  }
}

variable "html" {
  type        = string
  default     = "raw"
  description = "How HTML in names and descriptions is stored, a value of NOREN_HTML"
  validation {
    condition     = contains(["raw", "text", "safe"], var.html)
    error_message = "The value is one of: raw, text, safe."
  }
}

variable "language" {
  type        = string
  default     = "en"
  description = "Language of the products, a value of NOREN_LANGUAGE; it cannot change without a reindex"
}

variable "cache_seconds" {
  type        = number
  default     = 300
  description = "Time for which clients may cache a search response, in seconds"
  validation {
    condition     = var.cache_seconds >= 0
    error_message = "The value is at least 0."
  }
}

variable "access" {
  type        = string
  default     = "keys"
  description = "The credentials that the functions ask for: API keys, JSON Web Tokens, either, or none, which lets every request through"
  validation {
    condition     = contains(["keys", "jwt", "keys,jwt", "none"], var.access)
    error_message = "The value is one of: keys, jwt, keys,jwt, none."
  }
}

variable "write_signatures" {
  type        = string
  default     = "required"
  description = "Signatures of AWS (SigV4) that the API requires of writes and of operators' requests, before the functions ask for their credentials; with none, these credentials alone decide"
  validation {
    condition     = contains(["required", "none"], var.write_signatures)
    error_message = "The value is one of: required, none."
  }
  validation {
    condition     = var.write_signatures == "required" || var.access != "none"
    error_message = "Without signatures, access must ask for credentials, or everyone could write."
  }
  validation {
    condition     = var.write_signatures == "none" || var.access != "jwt"
    error_message = "A request has a signature or a token, both in the header Authorization; choose write_signatures = \"none\"."
  }
}

variable "anonymous_search" {
  type        = string
  default     = "search"
  description = "What requests without a key may do, if access is keys"
  validation {
    condition     = contains(["search", "nothing"], var.anonymous_search)
    error_message = "The value is one of: search, nothing."
  }
}

variable "root_key_hash" {
  type        = string
  default     = ""
  description = "SHA-256 of a key that may do everything, in hexadecimal digits; if empty, there is no such key"
  sensitive   = true
  validation {
    condition     = can(regex("^(([0-9a-f]{64})?)$", var.root_key_hash))
    error_message = "The value does not match ([0-9a-f]{64})?."
  }
}

variable "jwt_keys" {
  type        = string
  default     = ""
  description = "Address of the key set (JWKS) of JSON Web Tokens, if access accepts them"
  validation {
    condition     = can(regex("^((https://.+)?)$", var.jwt_keys))
    error_message = "The value does not match (https://.+)?."
  }
  validation {
    condition     = !strcontains(var.access, "jwt") || !contains([var.jwt_keys, var.jwt_issuer, var.jwt_audience], "")
    error_message = "JSON Web Tokens need jwt_keys, jwt_issuer and jwt_audience."
  }
}

variable "jwt_issuer" {
  type        = string
  default     = ""
  description = "Issuer of JSON Web Tokens, if access accepts them"
}

variable "jwt_audience" {
  type        = string
  default     = ""
  description = "Audience of JSON Web Tokens, if access accepts them"
}

variable "opensearch_endpoint" {
  type        = string
  default     = ""
  description = "Address of an existing OpenSearch domain, https://..., or of one on this machine for an emulator; if empty, a new domain is created"
  validation {
    condition     = can(regex("^((https://.+|http://(127[.]0[.]0[.]1|localhost):[0-9]+)?)$", var.opensearch_endpoint))
    error_message = "The value does not match (https://.+|http://(127[.]0[.]0[.]1|localhost):[0-9]+)?."
  }
}

variable "opensearch_domain_name" {
  type        = string
  default     = "none"
  description = "Name of the existing domain, in this account and region"
  validation {
    condition     = can(regex("^(([a-z][a-z0-9-]+)?)$", var.opensearch_domain_name))
    error_message = "The value does not match ([a-z][a-z0-9-]+)?."
  }
  validation {
    condition     = var.opensearch_endpoint == "" || !contains(["", "none"], var.opensearch_domain_name)
    error_message = "An existing domain needs opensearch_domain_name, for the policies of the functions."
  }
}

variable "opensearch_version" {
  type        = string
  default     = "OpenSearch_3.5"
  description = "Engine version of a new domain; a later one upgrades the domain in place"
  validation {
    condition     = can(regex("^(OpenSearch_[0-9]+[.][0-9]+)$", var.opensearch_version))
    error_message = "The value does not match OpenSearch_[0-9]+[.][0-9]+."
  }
}

variable "opensearch_instance_type" {
  type        = string
  default     = "t3.small.search"
  description = "Instance type of a new domain"
}

variable "opensearch_instance_count" {
  type        = number
  default     = 1
  description = "Number of instances of a new domain; 2 or more are spread over two availability zones"
  validation {
    condition     = contains([1, 2, 4, 6], var.opensearch_instance_count)
    error_message = "The value is one of: 1, 2, 4, 6."
  }
}

variable "opensearch_volume_gigabytes" {
  type        = number
  default     = 10
  description = "Disk size per instance of a new domain, in GB"
  validation {
    condition     = var.opensearch_volume_gigabytes >= 10
    error_message = "The value is at least 10."
  }
}

variable "opensearch_free_storage_megabytes" {
  type        = number
  default     = 2560
  description = "Free disk space per instance below which an alarm is raised, in MB; a quarter of the disk is right, because OpenSearch Service blocks writes below a fifth"
  validation {
    condition     = var.opensearch_free_storage_megabytes >= 0
    error_message = "The value is at least 0."
  }
}

variable "command_reserved_concurrency" {
  type        = number
  default     = 0
  description = "Concurrent invocations that Command has for itself and cannot exceed; 0 reserves none"
  validation {
    condition     = var.command_reserved_concurrency >= 0
    error_message = "The value is at least 0."
  }
}

variable "query_reserved_concurrency" {
  type        = number
  default     = 0
  description = "Concurrent invocations that Query has for itself and cannot exceed; 0 reserves none"
  validation {
    condition     = var.query_reserved_concurrency >= 0
    error_message = "The value is at least 0."
  }
}

variable "sync_reserved_concurrency" {
  type        = number
  default     = 0
  description = "Concurrent invocations that Sync has for itself and cannot exceed; 0 reserves none. It needs 11 for its batches and the comparison of the index"
  validation {
    condition     = var.sync_reserved_concurrency >= 0
    error_message = "The value is at least 0."
  }
}

variable "command_provisioned_concurrency" {
  type        = number
  default     = 0
  description = "Instances of Command that are always started; 0 starts them when requests arrive"
  validation {
    condition     = var.command_provisioned_concurrency >= 0
    error_message = "The value is at least 0."
  }
}

variable "query_provisioned_concurrency" {
  type        = number
  default     = 0
  description = "Instances of Query that are always started; 0 starts them when requests arrive"
  validation {
    condition     = var.query_provisioned_concurrency >= 0
    error_message = "The value is at least 0."
  }
}

variable "vpc_subnet_ids" {
  type        = list(string)
  default     = []
  description = "Subnets of the functions; if empty, the functions are in no VPC"
  validation {
    condition     = alltrue([for id in var.vpc_subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "The value does not match (subnet-[0-9a-f]+)?."
  }
}

variable "vpc_security_group_ids" {
  type        = list(string)
  default     = []
  description = "Security groups of the functions, if they are in a VPC"
  validation {
    condition     = alltrue([for id in var.vpc_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "The value does not match (sg-[0-9a-f]+)?."
  }
  validation {
    condition     = (length(var.vpc_subnet_ids) == 0) == (length(var.vpc_security_group_ids) == 0)
    error_message = "A VPC needs both vpc_subnet_ids and vpc_security_group_ids."
  }
}

variable "access_log" {
  type        = string
  default     = "all"
  description = "Requests that the functions log, a value of NOREN_ACCESS_LOG"
  validation {
    condition     = can(regex("^(off|all|sampled:[1-9][0-9]*)$", var.access_log))
    error_message = "The value does not match off|all|sampled:[1-9][0-9]*."
  }
}

variable "otlp_endpoint" {
  type        = string
  default     = ""
  description = "Address of an OpenTelemetry collector (OTLP over HTTP) for the traces of the functions; if empty, none"
  validation {
    condition     = can(regex("^((https?://.+)?)$", var.otlp_endpoint))
    error_message = "The value does not match (https?://.+)?."
  }
}

variable "verify_every" {
  type        = string
  default     = "rate(1 day)"
  description = "Schedule by which Sync compares a sample of the table with the index"
  validation {
    condition     = can(regex("^((rate|cron)[(].+[)])$", var.verify_every))
    error_message = "The value does not match (rate|cron)[(].+[)]."
  }
}

variable "verify_sample" {
  type        = number
  default     = 100
  description = "One product in this number is compared; 0 compares none"
  validation {
    condition     = var.verify_sample >= 0
    error_message = "The value is at least 0."
  }
}

variable "alarm_email" {
  type        = string
  default     = ""
  description = "Email address for alarms; if empty, none are sent"
}

variable "monthly_budget" {
  type        = number
  default     = 0
  description = "Budget of the account per month, in USD, with alarms at 80% and 100%; 0 creates none"
  validation {
    condition     = var.monthly_budget >= 0
    error_message = "The value is at least 0."
  }
}

variable "estimated_charges_alarm" {
  type        = number
  default     = 100
  description = "Charges of the account in a month that raise an alarm, in USD; 0 creates no alarm. Only us-east-1 has this metric"
  validation {
    condition     = var.estimated_charges_alarm >= 0
    error_message = "The value is at least 0."
  }
}
