// Loaded into Azurite before its own code: its sweep of unused blocks waits for a day instead of ten minutes.
// While it sweeps it answers nobody: on a busy machine, after 1,600 videos, for more than five minutes (seen). What
// nobody needs any more stays in memory instead.
const path = require("path");

require(path.join(path.dirname(process.argv[1]), "utils", "constants")).DEFAULT_GC_INTERVAL_MS = 24 * 3600 * 1000;
