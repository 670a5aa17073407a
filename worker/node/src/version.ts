/** The version of the package, as it is told to supervisors. */

export const VERSION = "0.1.0";
export const SDK = `mutirao-node/${VERSION}`;
