#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chaingap_fuzz::run("reports", data));
