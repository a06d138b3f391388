//! Pages under a policy.
