//! Comparisons of made-up reports: how stories align, and what is concluded of them.
