//! The devices that faults affect, as a table: CSV by RFC 4180.
//!
//! In: devices with their faults, one after the other. Out: a line each, ended by a newline. Bounded: nothing is kept.
//! Left to others: where the lines go.

use super::shared::words::clean;
use crate::report::Affected;

/// The line that names the columns.
pub const CSV_HEAD: &str = "address,mac,host_name,first,last,code,server,fault\n";

/// One device and one of its faults.
pub fn csv_line(row: &Affected) -> String {
    let Affected { address, mac, host_name, first, last, code, server, fault } = row;
    let optional = |field: &Option<String>| field.as_deref().map(field_of).unwrap_or_default();
    let fields = [
        field_of(address),
        optional(mac),
        optional(host_name),
        field_of(first),
        field_of(last),
        field_of(code),
        optional(server),
        field_of(fault),
    ];
    format!("{}\n", fields.join(","))
}

/// A field in quotes where it needs them. Names come from strangers: what a spreadsheet would take for a formula gets an
/// apostrophe before it.
fn field_of(text: &str) -> String {
    let mut text = clean(text);
    if text.starts_with(['=', '+', '-', '@']) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_field_and_are_no_formulas() {
        let row = Affected {
            address: "10.0.0.1".into(),
            mac: None,
            host_name: Some("=cmd|' /C calc'!A0,\"x\"\n".into()),
            first: "2026-01-15T12:00:01.113Z".into(),
            last: "2026-01-15T12:00:02.000Z".into(),
            code: "CG001".into(),
            server: Some("lyncpool.contoso.test".into()),
            fault: "CG001/lyncpool.contoso.test".into(),
        };
        let expected = "10.0.0.1,,\"'=cmd|' /C calc'!A0,\"\"x\"\"\\u{a}\",2026-01-15T12:00:01.113Z,\
                        2026-01-15T12:00:02.000Z,CG001,lyncpool.contoso.test,CG001/lyncpool.contoso.test\n";
        assert_eq!(csv_line(&row), expected);
        assert_eq!(CSV_HEAD.matches(',').count(), 7);
    }
}
