//! Charts of the samples against the pictures in docs/charts, and of data at the edges of what is possible.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod edges;
#[path = "../../examples/charts/samples.rs"]
mod samples;

use chrono::NaiveDate;
use edges::Data;
use jobs::charts::map::{self, MapData};
use jobs::charts::pareto::{self, ParetoBar, ParetoData};
use jobs::charts::trend::{self, TrendData, TrendMonth};
use jobs::charts::{Chart, FONT_BOLD, FONT_REGULAR, Style, Theme, Unusual, Width, Words, funnel, png, timeline};
use resvg::usvg::{Group, Node, Options, Rect, TextChunk, Tree, roxmltree};
use schema::enums::{Locale, SubjectKind};
use std::collections::BTreeSet;
use std::path::Path;

const LOCALES: [Locale; 2] = [Locale::Vi, Locale::En];
const WIDTHS: [Width; 2] = [Width::Wide, Width::Narrow];

const fn style(theme: Theme, width: Width) -> Style<'static> {
    Style { theme, width, id: "chart" }
}

fn words(locale: Locale) -> Words {
    Words::new(locale).unwrap()
}

/// All texts of a picture with the area that each takes.
fn texts(chart: &Chart) -> (Rect, Vec<(String, Rect)>) {
    fn collect(group: &Group, found: &mut Vec<(String, Rect)>) {
        for node in group.children() {
            match node {
                Node::Group(group) => collect(group, found),
                Node::Text(text) => {
                    let letters = text.chunks().iter().map(TextChunk::text).collect();
                    found.push((letters, text.abs_bounding_box()));
                }
                _ => {}
            }
        }
    }
    let mut options = Options { font_family: "Noto Sans".to_owned(), ..Options::default() };
    for font in [FONT_REGULAR, FONT_BOLD] {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    let tree = Tree::from_str(&chart.svg, &options).unwrap_or_else(|error| panic!("{}: {error}", chart.title));
    let mut found = Vec::new();
    collect(tree.root(), &mut found);
    let size = tree.size();
    (Rect::from_xywh(0.0, 0.0, size.width(), size.height()).unwrap(), found)
}

/// Fails when texts lie over each other or outside of the picture, or when the document is not as pages need it.
fn check(chart: &Chart) {
    let (picture, texts) = texts(chart);
    for (n, (text, area)) in texts.iter().enumerate() {
        let is_inside = area.left() >= picture.left()
            && area.right() <= picture.right()
            && area.top() >= picture.top()
            && area.bottom() <= picture.bottom();
        assert!(is_inside, "{}: “{text}” is outside: {area:?} of {picture:?}", chart.title);
        for (other, beside) in &texts[..n] {
            // The areas have room for accents above and below that few letters need.
            let meet = area.left() < beside.right() - 1.0
                && beside.left() < area.right() - 1.0
                && area.top() + 2.5 < beside.bottom() - 2.5
                && beside.top() + 2.5 < area.bottom() - 2.5;
            assert!(!meet, "{}: “{text}” lies over “{other}”: {area:?} {beside:?}", chart.title);
        }
    }
    let document = roxmltree::Document::parse(&chart.svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    for id in root.attribute("aria-labelledby").unwrap().split(' ') {
        let named = document.descendants().filter(|node| node.attribute("id") == Some(id));
        assert_eq!(named.count(), 1, "{id}");
    }
    // A screen reader says the title and then the description; the alternative text of a mail has both.
    let described = document.descendants().find(|node| node.has_tag_name("desc")).and_then(|node| node.text());
    let said = format!("{}. {}", chart.title.trim_end_matches('.'), described.unwrap_or_default());
    assert_eq!(said.trim().trim_end_matches('.'), chart.alt.trim().trim_end_matches('.'));
    let mut sentences: Vec<&str> = chart.alt.split_inclusive(". ").map(str::trim_end).collect();
    let all = sentences.len();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), all, "a sentence comes twice: {}", chart.alt);
    // The pages' CSP forbids both.
    assert!(document.descendants().all(|node| node.attribute("style").is_none() && !node.has_tag_name("style")));
    assert!(!chart.svg.contains("NaN"), "{}", chart.title);
    assert!(!chart.title.is_empty() && !chart.alt.is_empty());
    assert!(chart.table.rows.iter().all(|row| row.len() == chart.table.header.len()), "{}", chart.title);
}

#[test]
fn golden_pictures_are_those_of_the_documentation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/charts");
    let is_writing = std::env::var_os("PHANANH_WRITE_CHARTS").is_some();
    for locale in LOCALES {
        for (name, chart) in samples::charts(locale, &words(locale), style(Theme::Light, Width::Wide)).unwrap() {
            let file = folder.join(format!("{name}.{locale}.svg"));
            if is_writing {
                std::fs::write(&file, &chart.svg).unwrap();
            }
            let golden = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(golden == chart.svg, "docs/charts/{name}.{locale}.svg differs: look at it after `just charts`");
        }
    }
}

#[test]
fn no_text_lies_over_another_in_any_language_theme_or_width() {
    for locale in LOCALES {
        for width in WIDTHS {
            for theme in [Theme::Light, Theme::Dark, Theme::Css] {
                for (name, chart) in samples::charts(locale, &words(locale), style(theme, width)).unwrap() {
                    check(&chart);
                    assert_eq!(chart.svg.contains(" class=\"chart-"), theme == Theme::Css, "{name}");
                    assert!(png(&chart, 2.0).unwrap().len() > 2000, "{name}");
                }
                let before = samples::map_data_on(locale, NaiveDate::from_ymd_opt(2025, 6, 30).unwrap()).unwrap();
                assert_eq!(before.areas.len(), 63);
                check(&map::chart(&before, &words(locale), style(theme, width)).unwrap());
            }
        }
    }
}

#[test]
fn titles_and_alternative_texts_have_the_numbers_of_the_data() {
    let (words, style) = (words(Locale::En), style(Theme::Light, Width::Wide));
    let all = samples::charts(Locale::En, &words, style).unwrap();
    let of = |name: &str| &all.iter().find(|(found, _)| *found == name).unwrap().1;

    let trend = of("trend");
    assert_eq!(trend.title, "Complaints, Dec 2026: 431, more than the usual 295 to 385");
    assert!(trend.alt.contains("11 months with numbers: the highest is 431 in Dec 2026, the lowest 284 in Feb 2026."));
    assert!(trend.alt.contains("Outside of the usual range: Dec 2026."), "{}", trend.alt);

    let data = samples::pareto_data(Locale::En);
    let total: f64 = data.bars.iter().map(|bar| bar.value).sum();
    let mut sum = 0.0;
    let few = data.bars.iter().take_while(|bar| {
        let is_few = sum < 0.8 * total;
        sum += bar.value;
        is_few
    });
    let few = few.count();
    let pareto = of("pareto");
    assert!(pareto.title.starts_with(&format!("{few} of 14 categories make up 8")), "{}", pareto.title);
    assert_eq!(pareto.table.rows.len(), data.bars.len());

    let data = samples::funnel_data(Locale::En, 40);
    let count = |unusual| data.units.iter().filter(|unit| unit.unusual() == Some(unusual)).count();
    let (high, low) = (count(Unusual::High), count(Unusual::Low));
    assert!(high > 0 && low > 0, "{high} {low}");
    let have = if high == 1 { "has" } else { "have" };
    let title = format!("Of 40 branches, {high} {have} more and {low} fewer episodes than chance explains");
    assert_eq!(of("funnel").title, title);

    let data = samples::cusum_data();
    let signals = data.weeks.iter().filter(|week| week.signal).count();
    assert!(signals > 0);
    assert!(of("cusum").title.contains(&format!(": {signals} signal")), "{}", of("cusum").title);
    assert!(of("cusum").alt.contains("44 weeks; the limit is 3.2"), "{}", of("cusum").alt);

    let data = samples::waiting_data(Locale::En);
    let share = data.curves[0].after(15.0);
    assert!(of("waiting").title.contains(&format!("{:.1}% of complaints still wait after 15 days", share * 100.0)));

    let peers = of("peers");
    assert_eq!(
        peers.title,
        "Customs of Hai Phong: 71.4% answered in time, less than most of 33 comparable units (84.1% to 98.3%)"
    );
    assert!(peers.alt.contains("Its 95% limits are 64.2% to 77.7%."), "{}", peers.alt);

    let timeline = of("timeline");
    assert_eq!(timeline.title, "CC-0412: 17 episodes, 11 confirmed; now: review");
    assert!(timeline.alt.contains("4 changes of the tier, 2 measures."), "{}", timeline.alt);
    assert_eq!(timeline.table.rows.len(), 17 + 4 + 2);

    let data = samples::interval_data(Locale::En);
    let interval = of("interval");
    assert_eq!((&interval.title, interval.table.rows.len()), (&data.title, data.rows.len()));
    let row = "365 days, confirmed complaints alone: 14.2 (9.8 – 19.9).";
    assert!(interval.alt.starts_with(&data.title) && interval.alt.contains(row), "{}", interval.alt);

    let map = of("map");
    assert_eq!(map.title, "Of 34 provinces, 4 have more and 2 fewer complaints than chance explains");
    assert!(map.alt.contains("Fewer than chance explains: Ca Mau, Nghe An."), "{}", map.alt);
    for word in ["Hoàng Sa", "Trường Sa"] {
        assert!(map.svg.contains(word));
    }
}

#[test]
fn the_gravest_tier_of_a_branch_is_an_inspection() {
    let names = [
        (Locale::Vi, "xem xét đình chỉ", "kiểm tra chi cục"),
        (Locale::En, "suspension review", "inspection of the branch"),
    ];
    for (locale, of_officer, of_branch) in names {
        let subjects = [(SubjectKind::Officer, of_officer, of_branch), (SubjectKind::Branch, of_branch, of_officer)];
        for (subject, name, other) in subjects {
            let mut data = samples::timeline_data(locale);
            data.subject = subject;
            // The gravest tier is the present one.
            data.tiers.truncate(3);
            let chart = timeline::chart(&data, &words(locale), style(Theme::Light, Width::Wide)).unwrap();
            assert!(chart.title.ends_with(name) && chart.svg.contains(&format!(">{name}</text>")), "{}", chart.svg);
            assert!(chart.table.rows.iter().any(|row| row[2] == name), "{:?}", chart.table);
            assert!(!chart.svg.contains(other), "{other}: {}", chart.svg);
        }
    }
}

#[test]
fn nothing_one_point_zeros_and_huge_numbers_are_drawn() {
    for locale in LOCALES {
        let words = words(locale);
        for width in WIDTHS {
            let style = style(Theme::Light, width);
            let mut all = Data::empty().charts(&words, style);
            let single = Data::single(locale);
            all.extend(single.charts(&words, style));
            all.push(single.waiting_without_deadline(&words, style));
            for number in [0.0, 1.0, 1e9, 1e15, f64::MAX] {
                all.extend(Data::constant(number, locale).charts(&words, style));
            }
            for chart in &all {
                check(chart);
                png(chart, 1.0).unwrap();
            }
        }
    }
}

#[test]
fn a_number_that_is_none_is_drawn_as_zero() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for chart in Data::constant(number, Locale::En).charts(&words(Locale::En), style(Theme::Light, Width::Wide)) {
            roxmltree::Document::parse(&chart.svg).unwrap();
            let mut pictures = chart.svg.split('<').filter(|element| !element.starts_with(['t', 'd']));
            assert!(pictures.all(|element| !element.contains("NaN") && !element.contains("inf")));
        }
    }
}

#[test]
fn a_line_has_a_gap_where_months_are_missing() {
    let style = style(Theme::Light, Width::Wide);
    let month = |number, value| TrendMonth {
        month: NaiveDate::from_ymd_opt(2026, number, 1).unwrap(),
        value,
        before: None,
        usual: None,
    };
    let draw = |months| {
        let chart = trend::chart(&TrendData { what: "x".to_owned(), months }, &words(Locale::En), style).unwrap();
        check(&chart);
        chart.svg.matches("<polyline").count()
    };
    let value = Some(5.0);
    assert_eq!(draw(vec![month(1, value), month(2, value), month(3, value), month(4, value)]), 1);
    assert_eq!(draw(vec![month(1, value), month(2, value), month(5, value), month(6, value)]), 2);
    assert_eq!(draw(vec![month(1, value), month(2, value), month(3, None), month(4, value), month(5, value)]), 2);
    assert_eq!(draw(vec![month(2, value), month(1, value)]), 1, "in any order");
}

#[test]
fn hundreds_of_branches_are_drawn_and_listed() {
    for locale in LOCALES {
        for width in WIDTHS {
            let data = samples::funnel_data(locale, 300);
            let chart = funnel::chart(&data, &words(locale), style(Theme::Light, width)).unwrap();
            check(&chart);
            assert_eq!(chart.table.rows.len(), 300);
            let bars = data.units.iter().map(|unit| ParetoBar { label: unit.label.clone(), value: unit.observed });
            let data = ParetoData { what: data.what.clone(), groups: data.units_name.clone(), bars: bars.collect() };
            let chart = pareto::chart(&data, &words(locale), style(Theme::Light, width)).unwrap();
            check(&chart);
            assert_eq!(chart.table.rows.len(), 300);
        }
    }
}

#[test]
fn markup_in_labels_stays_text() {
    let label = "<script>alert(\"1\")</script> & 'x' ]]>";
    let data = ParetoData {
        what: label.to_owned(),
        groups: label.to_owned(),
        bars: vec![ParetoBar { label: label.to_owned(), value: 1.0 }],
    };
    let style = Style { id: "a\" onload=\"x", ..style(Theme::Light, Width::Wide) };
    let chart = pareto::chart(&data, &words(Locale::En), style).unwrap();
    let document = roxmltree::Document::parse(&chart.svg).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("script") && node.attribute("onload").is_none()));
    assert_eq!(chart.table.rows[0][0], label);
    assert!(document.descendants().any(|node| node.text() == Some(label)));
}

#[test]
fn a_province_without_data_is_not_drawn_as_usual() {
    let mut data = samples::map_data(Locale::En).unwrap();
    let usual = |data: &MapData| {
        let chart = map::chart(data, &words(Locale::En), style(Theme::Css, Width::Wide)).unwrap();
        chart.svg.matches("chart-fill-band").count()
    };
    let before = usual(&data);
    (data.areas[0].observed, data.areas[0].expected) = (0.0, 0.0);
    assert_eq!(usual(&data), before - 1);
}

#[test]
fn the_hatchings_of_a_map_differ_without_colours() {
    let data = samples::map_data(Locale::En).unwrap();
    let chart = map::chart(&data, &words(Locale::En), style(Theme::Light, Width::Wide)).unwrap();
    let document = roxmltree::Document::parse(&chart.svg).unwrap();
    let hatchings = document.descendants().filter(|node| node.has_tag_name("pattern"));
    let directions: BTreeSet<&str> = hatchings.filter_map(|node| node.attribute("patternTransform")).collect();
    assert_eq!(directions.len(), 2, "more and less than usual: {directions:?}");
}

#[test]
fn an_area_without_its_shape_is_told() {
    let mut data = samples::map_data(Locale::En).unwrap();
    data.areas[0].shapes = vec!["atlantis".to_owned()];
    let error = map::chart(&data, &words(Locale::En), style(Theme::Light, Width::Wide)).unwrap_err();
    assert!(error.to_string().contains("atlantis"), "{error}");
}
