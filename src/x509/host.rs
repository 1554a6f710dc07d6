//! In: a host name or address, and the names of a certificate. Out: whether they match by RFC 6125, with the rules in
//! which devices differ. Bounded: one pass over the names. Left to others: which name the device asked for.

use std::net::IpAddr;

use super::certificate::Certificate;

/// The rules for matching a server's name in which devices differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRules {
    /// A `*` as the whole left-most label of a dNSName stands for one label (RFC 6125 section 6.4.3).
    pub wildcards: bool,
    /// The subject's common name counts where there is no subjectAltName of the right kind (RFC 6125 section 6.4.4).
    pub common_name: bool,
}

impl Default for HostRules {
    /// The rules of current clients: with wildcards, without the common name.
    fn default() -> Self {
        Self { wildcards: true, common_name: false }
    }
}

impl Certificate {
    /// Whether the certificate is for `name`: a DNS name (letter case and a final dot do not count) or an IP address
    /// in text form, with or without the brackets of a URL. The common name is never a pattern.
    pub fn matches_host(&self, name: &str, rules: HostRules) -> bool {
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return self.matches_address(address, rules);
        }
        let name = without_final_dot(name);
        if name.is_empty() {
            return false;
        }
        if self.dns_names().is_empty() {
            return rules.common_name && self.common_name().is_some_and(|common| same(common, name));
        }
        self.dns_names().iter().any(|pattern| matches_pattern(pattern, name, rules.wildcards))
    }

    fn matches_address(&self, address: IpAddr, rules: HostRules) -> bool {
        if self.ip_addresses().is_empty() && self.dns_names().is_empty() {
            let common = self.common_name().and_then(|name| name.parse::<IpAddr>().ok());
            return rules.common_name && common == Some(address);
        }
        self.ip_addresses().contains(&address)
    }
}

fn matches_pattern(pattern: &str, name: &str, wildcards: bool) -> bool {
    let pattern = without_final_dot(pattern);
    if same(pattern, name) {
        return true;
    }
    let (Some(parent), Some((label, rest))) = (pattern.strip_prefix("*."), name.split_once('.')) else {
        return false;
    };
    // "*.test" would cover every name of a whole top-level domain: clients refuse it.
    wildcards && !label.is_empty() && parent.contains('.') && same(parent, rest)
}

fn same(a: &str, b: &str) -> bool {
    without_final_dot(a).eq_ignore_ascii_case(b)
}

fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn a_wildcard_is_one_whole_left_most_label() {
        // The cases of RFC 6125 section 6.4.3 and of RFC 9525 section 6.3.
        assert!(matches_pattern("*.Example.com", "foo.example.COM", true));
        assert!(!matches_pattern("*.example.com", "bar.foo.example.com", true));
        assert!(!matches_pattern("*.example.com", "example.com", true));
        assert!(!matches_pattern("bar.*.example.net", "bar.foo.example.net", true));
        assert!(!matches_pattern("baz*.example.net", "baz1.example.net", true));
        assert!(!matches_pattern("*.com", "example.com", true));
        assert!(!matches_pattern("*.example.com", ".example.com", true));
        assert!(!matches_pattern("*.example.com", "foo.example.com", false));
        assert!(matches_pattern("foo.example.com.", "foo.example.com", false));
    }
}
