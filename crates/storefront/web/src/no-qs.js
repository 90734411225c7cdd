// In place of the package `qs`, which the router of InstantSearch imports and only hands to functions that do not use it.

export default {};
