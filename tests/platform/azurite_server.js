// Azurite without its sweep. Every ten minutes that deletes what was overwritten, one piece after the other, and
// answers nobody meanwhile: for minutes, once a test run has written some ten thousand times. Clients give up before.
const constants = require("../node_modules/azurite/dist/src/blob/utils/constants");

const LONGEST_TIMER_MS = 2 ** 31 - 1;
if (!("DEFAULT_GC_INTERVAL_MS" in constants)) {
  throw new Error("This version of Azurite keeps the interval of its sweep somewhere else.");
}
constants.DEFAULT_GC_INTERVAL_MS = LONGEST_TIMER_MS;
require("../node_modules/azurite/dist/src/azurite");
