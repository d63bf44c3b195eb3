// Says as one line of JSON whether the lab can run here; the set-up is plain JavaScript and asks this way.
import { probeLab } from "../lab/probe.ts";

console.log(JSON.stringify(await probeLab()));
