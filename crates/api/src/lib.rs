//! The HTTP surface that the services share: problems, extractors, parameters, responses, wire types and probes.
