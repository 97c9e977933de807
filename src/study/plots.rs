//! A question's numbers as a plot that stands in a page.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::findings::{MEASURES, Observation, at};
use super::question::StudyQuestion;

/// Colours of panels; told apart with all kinds of sight (Okabe and Ito's palette).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

const SIZE: (u32, u32) = (640, 400);

/// A measure along the axis, a line a panel, with confidence intervals of 95 %; as SVG. `None` if there is nothing to show.
///
/// # Errors
/// Fails if the plot cannot be made.
pub fn plot(question: &StudyQuestion, all: &[Observation], measure: usize) -> Result<Option<String>> {
    let values = question.axis.values();
    let lines: Vec<Vec<(usize, [f64; 3])>> = (0..question.panels.len())
        .map(|panel| {
            let point = |value: usize| {
                let interval = at(all, measure, panel, value)?;
                let end = |x: f64| if x.is_finite() { x } else { interval.mean };
                Some((value, [end(interval.low), interval.mean, end(interval.high)]))
            };
            (0..values.len()).filter_map(point).collect()
        })
        .collect();
    let heights = lines.iter().flatten().flat_map(|(_, ends)| ends.iter().copied());
    let (low, high) = heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    if low > high {
        return Ok(None);
    }
    let room = ((high - low) * 0.08).max(1e-3);
    let mut svg = String::new();
    let drawn = draw(&mut svg, question, &lines, measure, (low.min(0.0) - room, high + 4.0 * room));
    drawn.map_err(|error| anyhow!("a plot could not be made: {error}"))?;
    Ok(Some(svg))
}

type Failed = Box<dyn std::error::Error>;

fn draw(
    svg: &mut String,
    question: &StudyQuestion,
    lines: &[Vec<(usize, [f64; 3])>],
    measure: usize,
    (low, high): (f64, f64),
) -> Result<(), Failed> {
    let values = question.axis.values();
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let about = MEASURES[measure];
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{}, {}", about.meaning, about.unit), ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(-0.3..values.len() as f64 - 0.7, low..high)?;
    let name = |x: &f64| {
        let nearest = x.round();
        let near = (x - nearest).abs() < 0.05 && nearest >= 0.0;
        if near { values.get(nearest as usize).copied().unwrap_or_default().to_owned() } else { String::new() }
    };
    chart
        .configure_mesh()
        .x_labels(values.len() * 2 + 1)
        .x_label_formatter(&name)
        .x_desc(question.axis.name())
        .light_line_style(WHITE)
        .draw()?;
    for (at, ((points, panel), colour)) in lines.iter().zip(question.panels).zip(COLOURS.iter().cycle()).enumerate() {
        // Bars of several panels stand beside each other.
        let aside = (at as f64 - (lines.len() - 1) as f64 / 2.0) * 0.06;
        let style = ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: 2 };
        let line = points.iter().map(|(value, ends)| (*value as f64 + aside, ends[1]));
        chart
            .draw_series(LineSeries::new(line, style))?
            .label(panel.name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], style));
        let bars = points
            .iter()
            .map(|(x, [low, mean, high])| ErrorBar::new_vertical(*x as f64 + aside, *low, *mean, *high, style, 6));
        chart.draw_series(bars)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
