// `dis report`: one HTML page about one or several runs, from their files alone.
//
// The page needs no network and no other file. Numbers in its tables are kept whole in the attribute data-value.
#pragma once

#include <string>
#include <vector>

#include "dis/report/run_data.h"

namespace dis {

/// The page. `refresh_s` > 0: a browser loads it again every so many seconds.
std::string report_html(const std::vector<RunData>& runs, int refresh_s = 0);

}  // namespace dis
