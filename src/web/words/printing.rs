//! What the pages say of sheets, print jobs, print runs and printers.
