//! In: captures, and an investigation that they are read into. Out: a report of them; on standard error, which could not
//! be read and why. Bounded: an error names at most [`OFFERED`] devices. Left to others: what becomes of the report.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chaingap::Investigation;
use chaingap::report::Report;

use super::exit::Failure;
use super::inputs::Input;
use super::options::TrustOptions;
use super::parallel;
use super::progress::Progress;

/// The most devices named where none fits.
const OFFERED: usize = 20;

/// Files of this many bytes or more are read ahead by a second thread; smaller ones are read before it has started.
/// Decided in D-CAPTURE-04.
const WORTH_A_THREAD: u64 = 4 << 20;

/// Which devices a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Devices {
    /// All of them.
    All,
    /// Of many some of each kind.
    Examples,
}

/// Reads captures into one report, and says whether all could be read to their ends. `None` if no packet of any was
/// understood.
pub(crate) fn report_of(
    trust: &TrustOptions,
    inputs: &[Input],
    devices: Devices,
) -> Result<Option<(Report, bool)>, Failure> {
    let analyzer = trust.builder()?.all_devices(devices == Devices::All).build()?;
    let mut investigation = analyzer.investigate();
    let progress = Progress::of(inputs);
    let all = read_all(&mut investigation, inputs, &progress, parallel::at_once(0, 2));
    drop(progress);
    let Some(all) = all else { return Ok(None) };
    let report = investigation.report();
    fitting(trust.asked(), &investigation, &report)?;
    Ok(Some((report, all)))
}

/// Fails if `asked`, the option that asks for a device as it was typed, fits none of the devices: nothing was judged.
pub(crate) fn fitting(
    asked: Option<String>,
    investigation: &Investigation<'_>,
    report: &Report,
) -> Result<(), Failure> {
    if report.devices.is_empty() { none_fits(asked, investigation.left_out()) } else { Ok(()) }
}

/// The failure of [`fitting`], with the devices that there are (D-CLI-04).
pub(crate) fn none_fits(asked: Option<String>, there: BTreeSet<IpAddr>) -> Result<(), Failure> {
    let Some(asked) = asked else { return Ok(()) };
    let offered: Vec<String> = there.iter().take(OFFERED).map(IpAddr::to_string).collect();
    let there = match there.len().checked_sub(OFFERED) {
        None if there.is_empty() => "none".to_owned(),
        None | Some(0) => offered.join(", "),
        Some(more) => format!("{}, and {more} more", offered.join(", ")),
    };
    Err(Failure(format!("no device fits {asked}; there are: {there}")))
}

/// Reads one capture; says on standard error why it could not be read.
pub(crate) fn read(
    investigation: &mut Investigation<'_>,
    input: &Input,
    progress: &Progress,
    processors: usize,
) -> bool {
    let name = input.name();
    let ahead = processors > 1 && input.size().is_none_or(|size| size >= WORTH_A_THREAD);
    let result = match input.open() {
        Ok(bytes) if ahead => investigation.read_ahead(progress.count(bytes), &name).map_err(|error| error.to_string()),
        Ok(bytes) => investigation.read(progress.count(bytes), &name).map_err(|error| error.to_string()),
        Err(error) => Err(investigation.unopened(&name, &error)),
    };
    result.map_err(|error| progress.say(&format!("{name}: {error}"))).is_ok()
}

/// Reads captures into one investigation, one after the other; says whether all could be read to their ends. `None` if
/// no packet of any was understood.
pub(crate) fn read_all(
    investigation: &mut Investigation<'_>,
    inputs: &[Input],
    progress: &Progress,
    processors: usize,
) -> Option<bool> {
    let failed = inputs.iter().filter(|input| !read(investigation, input, progress, processors)).count();
    let understood = |input: &Input| investigation.packets_of(&input.name()) > 0;
    (failed < inputs.len() || inputs.iter().any(understood)).then_some(failed == 0)
}
