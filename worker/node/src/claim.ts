/** Takes the channel as soon as this is loaded. To be imported before anything else. */

import { claim } from "./channel.js";

claim();
