// The sections of a report, each from what the runs' files say.
#pragma once

#include <vector>

#include "dis/report/run_data.h"
#include "html.h"

namespace dis {

using Runs = std::vector<RunData>;

HtmlSection overview_section(const Runs& runs);
/// What differs from the defaults, and, of several runs, among them.
HtmlSection configuration_section(const Runs& runs);
HtmlSection training_section(const Runs& runs);
/// The newest evaluation of each run; of ARC the score against the number of votes, too.
HtmlSection scores_section(const Runs& runs);
/// Margins, L(w), changes per step, dead compute: of the runs that were analysed.
HtmlSection analysis_section(const Runs& runs);
/// Rows as they are solved, step by step.
HtmlSection examples_section(const Runs& runs);

/// Which of N supervision steps a plot shows, from 0: as many as there are colours, the last one among them.
std::vector<std::size_t> shown_steps(std::size_t N, std::size_t first = 0);

/// What tells the series of a plot apart: the names of several runs, `what` of one.
std::string series_name(const Runs& runs, std::size_t run, const std::string& what);

}  // namespace dis
