// Started by xapi-client.test.ts: asks a host once, and does nothing to end.
import { text } from "node:stream/consumers";
import { XapiClient } from "../../provider/src/xapi/client.ts";
import { getPool } from "../../provider/src/xapi/pools.ts";

await getPool(new XapiClient(JSON.parse(await text(process.stdin))));
