//! The pictures of a digest, drawn from the numbers in its document. The document has only what its reader may see.

mod short_table;
mod unusual;

use self::short_table::ShortTable;
use super::document::DigestDocument;
use super::messages::Messages;
use crate::JobError;
use crate::charts::pareto::{ParetoBar, ParetoData};
use crate::charts::peers::PeersData;
use crate::charts::trend::{TrendData, TrendMonth};
use crate::charts::waiting::{WaitingCurve, WaitingData};
use crate::charts::{Chart, ChartTable, Style, Theme, Width, Words, pareto, peers, png, trend, waiting};
use fluent_bundle::FluentArgs;
use schema::enums::{DigestSection, Locale};
use serde::Serialize;

/// Pixels of a picture for each CSS pixel of the mail: present screens have two or three. A picture that would be larger
/// than [`MOST_BYTES`] has fewer.
const SCALES: [f32; 2] = [2.0, 1.0];
/// The most bytes of a picture.
const MOST_BYTES: usize = 250_000;
/// The most bytes of all pictures of a digest.
const MOST_TOGETHER: usize = 1_000_000;

/// A picture as a template shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Its name: `trend`, `waiting`, `peers`, `funnel`, `map`, `gravest`, `timeline`, `cusum` or `categories`.
    pub name: &'static str,
    /// The id of its part of the mail.
    pub cid: String,
    /// The alternative text of the picture.
    pub alt: String,
    pub width: u32,
    /// Some of its numbers, for readers of the HTML. The workbook has all.
    pub table: ShortTable,
}

/// The pictures of a digest in a language: none of a section without numbers, or that its reader does not want.
///
/// # Errors
/// If the messages lack a text, or a picture cannot be drawn.
pub(super) fn drawn(document: &DigestDocument, locale: Locale) -> Result<Vec<(Picture, Chart)>, JobError> {
    let drawing = Drawing { document, words: Words::new(locale)?, messages: Messages::new(locale)? };
    let all = [
        drawing.trend()?,
        drawing.waiting()?,
        drawing.peers()?,
        drawing.funnel()?,
        drawing.map()?,
        drawing.gravest()?,
        drawing.timeline()?,
        drawing.cusum()?,
        drawing.categories()?,
    ];
    Ok(all.into_iter().flatten().collect())
}

struct Drawing<'d> {
    document: &'d DigestDocument,
    words: Words,
    messages: Messages,
}

impl Drawing<'_> {
    fn word(&self, key: &str) -> Result<String, JobError> {
        self.messages.message(key, &FluentArgs::new())
    }

    fn days(&self, key: &str, days: i32) -> Result<String, JobError> {
        let mut args = FluentArgs::new();
        args.set("count", days);
        self.messages.message(key, &args)
    }

    /// Complaints by month.
    fn trend(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        if !document.has(DigestSection::Numbers) || document.numbers.months.len() < 2 {
            return Ok(None);
        }
        let months = document.numbers.months.iter().map(|month| TrendMonth {
            month: month.month,
            value: Some(f64::from(month.complaints)),
            before: month.year_before.map(f64::from),
            usual: month.usual,
        });
        let data = TrendData { what: self.word("received")?, months: months.collect() };
        Ok(Some(named("trend", trend::chart(&data, &self.words, style("trend"))?, ShortTable::last)))
    }

    /// Waiting times of the complaints that the unit of a head has to answer.
    fn waiting(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        let (Some(head), Some(unit)) = (&document.head, &document.unit) else { return Ok(None) };
        let Some(curve) = head.waiting.as_ref().filter(|_| document.has(DigestSection::Answers)) else {
            return Ok(None);
        };
        // The chart's own table compares curves. This one has the steps of the only curve, as the workbook has.
        let rows = curve.steps.iter().map(|(days, share)| {
            let shown = |number: f64| self.messages.number_at_most(number, 1);
            vec![shown(*days), format!("{}%", shown(share * 100.0))]
        });
        let header = vec![self.word("waited-days")?, self.word("still-waiting")?];
        let steps = ChartTable { header, rows: rows.collect() };
        let curve = WaitingCurve {
            label: unit.in_language(self.messages.is_english()).to_owned(),
            complaints: head.scorecard.complaints as usize,
            steps: curve.steps.clone(),
            censored: curve.still_waiting.iter().copied().map(f64::from).collect(),
            median: head.scorecard.median_days,
        };
        let data = WaitingData { what: self.word("received")?, curves: vec![curve], due: None };
        let chart = waiting::chart(&data, &self.words, style("waiting"))?;
        Ok(Some(named("waiting", chart, |_| ShortTable::spread(&steps))))
    }

    /// The unit of a head among its peers, whose names and numbers stay hidden.
    fn peers(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        let (Some(head), Some(unit)) = (&document.head, &document.unit) else { return Ok(None) };
        let card = &head.scorecard;
        let (Some(share), Some((lower, upper)), Some(of_peers)) = (card.share_in_time, card.limits, &card.peers) else {
            return Ok(None);
        };
        if !document.has(DigestSection::Answers) {
            return Ok(None);
        }
        let share_name = self.word("scorecard-share")?;
        let data = PeersData {
            label: unit.in_language(self.messages.is_english()).to_owned(),
            // Lower case, because the name is used within a sentence.
            what: share_name.to_lowercase(),
            share_name,
            share,
            lower,
            upper,
            peers: of_peers.count,
            half: of_peers.share_in_time,
            lowest: of_peers.lowest,
            highest: of_peers.highest,
        };
        Ok(Some(named("peers", peers::chart(&data, &self.words, style("peers"))?, ShortTable::first)))
    }

    /// The categories of the recent complaints.
    fn categories(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        if !document.has(DigestSection::Rising) || document.categories.len() < 2 {
            return Ok(None);
        }
        let is_english = self.messages.is_english();
        let bars = document.categories.iter().map(|category| ParetoBar {
            label: category.name_en.as_ref().filter(|_| is_english).unwrap_or(&category.name_vi).clone(),
            value: f64::from(category.recent),
        });
        // A Pareto chart names them within a sentence.
        let [what, groups] = [self.word("complaints")?, self.word("categories")?].map(|word| word.to_lowercase());
        let data = ParetoData { what, groups, bars: bars.collect() };
        Ok(Some(named("categories", pareto::chart(&data, &self.words, style("categories"))?, ShortTable::first)))
    }
}

/// Light on any screen: few mail programs show another picture on a dark one (docs/operations.md).
const fn style(id: &'static str) -> Style<'static> {
    Style { theme: Theme::Light, width: Width::Wide, id }
}

/// A picture with its table, of which `shorten` takes some rows.
fn named(name: &'static str, chart: Chart, shorten: impl Fn(&ChartTable) -> ShortTable) -> (Picture, Chart) {
    let cid = format!("{name}.png@phananh");
    let (alt, table) = (chart.alt.clone(), shorten(&chart.table));
    (Picture { name, cid, alt, width: Width::Wide.px() as u32, table }, chart)
}

/// The pictures as PNG, each with its name and its id. The last ones have fewer pixels if the first need much room.
///
/// # Errors
/// If a picture cannot be drawn or rendered.
pub(super) fn files(document: &DigestDocument, locale: Locale) -> Result<Vec<(Picture, Vec<u8>)>, JobError> {
    let (mut files, mut left) = (Vec::new(), MOST_TOGETHER);
    for (picture, chart) in drawn(document, locale)? {
        if let Some(bytes) = within(&chart, MOST_BYTES.min(left))? {
            left -= bytes.len();
            files.push((picture, bytes));
        }
    }
    Ok(files)
}

/// The rendering with the most pixels that has at most this many bytes. None if all have more: the mail then shows the
/// alternative text alone.
fn within(chart: &Chart, most: usize) -> Result<Option<Vec<u8>>, JobError> {
    for scale in SCALES {
        let bytes = png(chart, scale)?;
        if bytes.len() <= most {
            return Ok(Some(bytes));
        }
    }
    tracing::warn!(title = %chart.title, "a picture of a digest is too large, and left out");
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sample::{about_a_unit, of_board};
    use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};

    fn names(document: &DigestDocument) -> Vec<&'static str> {
        drawn(document, Locale::En).unwrap().into_iter().map(|(picture, _)| picture.name).collect()
    }

    fn picture(document: &DigestDocument, name: &str, locale: Locale) -> Chart {
        let all = drawn(document, locale).unwrap();
        all.into_iter().find(|(picture, _)| picture.name == name).unwrap().1
    }

    #[test]
    fn the_board_sees_what_is_unusual_and_others_do_not() {
        assert_eq!(names(&of_board()), ["funnel", "map", "gravest", "timeline", "cusum"]);
        assert!(names(&of_board().for_analysts()).is_empty());
        let mut overdue_alone = of_board();
        overdue_alone.limit(&[DigestSection::Overdue]);
        assert!(names(&overdue_alone).is_empty());
        let mut ended = of_board();
        ended.flags.standing.clear();
        assert_eq!(names(&ended), ["funnel", "map", "cusum"], "a flag that the digest does not name has no picture");
        let mut usual = of_board();
        usual.unusual.funnel.as_mut().unwrap().provinces.remove(0);
        usual.unusual.cusum = None;
        assert_eq!(names(&usual), ["funnel", "gravest", "timeline"], "a map says where something is unusual");
    }

    #[test]
    fn titles_say_what_is_unusual_and_alternative_texts_have_its_numbers() {
        let funnel = picture(&of_board(), "funnel", Locale::En);
        assert_eq!(funnel.title, "Of 3 branches, 1 has more and 0 fewer episodes than chance explains");
        assert!(funnel.alt.contains("More than chance explains: Hanoi port."), "{}", funnel.alt);
        let gravest = picture(&of_board(), "gravest", Locale::En);
        assert_eq!(gravest.title, "Nguyễn Văn A [CC01]: 14 times as many episodes as expected in 365 days");
        assert!(gravest.alt.contains("365 days: 14.2 (9.8 – 19.9)."), "{}", gravest.alt);
        assert!(gravest.alt.contains("365 days, confirmed complaints alone: 3.1"), "{}", gravest.alt);
        let map = picture(&of_board(), "map", Locale::En);
        let title = "Of 2 provinces with branches, 1 has more and 0 fewer episodes than chance explains";
        assert_eq!(map.title, title);
        assert!(map.alt.ends_with("More than chance explains: Hanoi."), "{}", map.alt);
        let line = picture(&of_board(), "timeline", Locale::En);
        assert!(line.title.starts_with("Nguyễn Văn A [CC01]: 3 episodes"), "{}", line.title);
        assert!(line.table.rows.iter().any(|row| row[2].starts_with("Formal review")), "{:?}", line.table);
        let cusum = picture(&of_board(), "cusum", Locale::En);
        assert!(cusum.title.starts_with("Hanoi port: "), "{}", cusum.title);
        let gravest = picture(&of_board(), "gravest", Locale::Vi);
        assert_eq!(gravest.title, "Nguyễn Văn A [CC01]: số đợt phản ánh trong 365 ngày gấp 14 lần kỳ vọng");
    }

    #[test]
    fn a_head_sees_the_own_unit_and_peers_without_names() {
        let document = about_a_unit();
        assert_eq!(names(&document), ["waiting", "peers"]);
        let waiting = picture(&document, "waiting", Locale::En);
        assert_eq!(waiting.title, "Hanoi: half are answered within 3 days");
        assert_eq!(waiting.alt, "Hanoi: half are answered within 3 days.", "said once");
        let peers = picture(&document, "peers", Locale::En);
        assert_eq!(peers.title, "Hanoi: 50% answered in time, less than most of 27 comparable units (85% to 100%)");
        let peers = picture(&document, "peers", Locale::Vi);
        assert!(peers.title.starts_with("Hà Nội: 50% trả lời đúng hạn, thấp hơn phần lớn"), "{}", peers.title);
        let mut without = about_a_unit();
        without.limit(&[DigestSection::Flags]);
        assert!(names(&without).is_empty());
        let mut few = about_a_unit();
        few.head.as_mut().unwrap().scorecard.peers = None;
        assert_eq!(names(&few), ["waiting"]);
    }

    #[test]
    fn a_picture_has_a_light_ground_of_its_own_and_a_bounded_size() {
        for document in [of_board(), about_a_unit()] {
            for (picture, bytes) in files(&document, Locale::Vi).unwrap() {
                let pixels = Pixmap::decode_png(&bytes).unwrap();
                // A map has the outlines of all provinces: it may need more bytes than a picture of lines.
                let widths = [2 * picture.width, picture.width];
                let of_picture = if picture.name == "map" { &widths[..] } else { &widths[..1] };
                assert!(bytes.len() <= MOST_BYTES, "{}: {} bytes", picture.name, bytes.len());
                assert!(of_picture.contains(&pixels.width()), "{}: {} wide", picture.name, pixels.width());
                assert!(pixels.pixels().iter().all(PremultipliedColorU8::is_opaque), "{} on a dark mail", picture.name);
                let corner = pixels.pixels()[0];
                assert_eq!((corner.red(), corner.green(), corner.blue()), (255, 255, 255), "{}", picture.name);
            }
        }
        let chart = picture(&of_board(), "funnel", Locale::Vi);
        let [large, small] = SCALES.map(|scale| png(&chart, scale).unwrap().len());
        let width = |most| within(&chart, most).unwrap().map(|bytes| Pixmap::decode_png(&bytes).unwrap().width());
        assert_eq!([width(large), width(large - 1), width(small - 1)], [Some(1280), Some(640), None]);
    }
}
