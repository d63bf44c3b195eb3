import sax from "sax";
import type { Value } from "./contract.ts";

/** A request as it came: nothing is checked against a method yet. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly Value[];
}

/** An element that is open, with what it has gathered so far. */
interface Frame {
  readonly tag: string;
  text: string;
  readonly items: Value[];
  names: string[];
}

/** Reads a `<methodCall>`; integers stay text, because XAPI takes them in either form. */
export function parseXmlCall(body: string): RpcCall {
  let method: string | undefined;
  const params: Value[] = [];
  const stack: Frame[] = [{ tag: "", text: "", items: [], names: [] }];
  const top = (): Frame => stack[stack.length - 1] as Frame;

  const parser = sax.parser(true);
  parser.onopentag = ({ name }) => stack.push({ tag: name, text: "", items: [], names: [] });
  parser.ontext = (text) => {
    top().text += text;
  };
  parser.oncdata = parser.ontext;
  parser.onclosetag = () => {
    const frame = stack.pop() as Frame;
    if (frame.tag === "methodName") method = frame.text.trim();
    else if (frame.tag === "param") params.push(...frame.items);
    else close(frame, top());
  };
  parser.onerror = (error) => {
    throw new Error(`The request is not well-formed XML: ${error.message.split("\n")[0]}`);
  };
  parser.write(body).close();
  if (method === undefined) throw new Error("The request has no methodName.");
  return { method, params };
}

/** Hands what an element holds to the one around it. */
function close(frame: Frame, parent: Frame): void {
  switch (frame.tag) {
    case "value":
      // A value without a type tag is a string; one with a tag has its value from there, and only white space as text.
      parent.items.push(frame.items.length > 0 ? (frame.items[0] as Value) : frame.text);
      break;
    case "string":
    case "int":
    case "i4":
    case "i8":
    case "dateTime.iso8601":
      parent.items.push(frame.text);
      break;
    case "double":
      parent.items.push(Number(frame.text));
      break;
    case "boolean":
      parent.items.push(frame.text.trim() === "1");
      break;
    case "nil":
      throw new Error("XAPI has no nil.");
    case "data":
      parent.items.push(...frame.items);
      break;
    case "array":
      parent.items.push(frame.items);
      break;
    case "name":
      parent.names.push(frame.text);
      break;
    case "member":
      parent.names.push(...frame.names);
      parent.items.push(...frame.items);
      break;
    case "struct":
      parent.items.push(Object.fromEntries(frame.names.map((name, index) => [name, frame.items[index] ?? ""])));
      break;
    default:
      if (!["methodCall", "params"].includes(frame.tag)) throw new Error(`XML-RPC has no element ${frame.tag}.`);
  }
}
