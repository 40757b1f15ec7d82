//! What the pages say of the overview, the usage log and its chart.
