import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { programError } from "../../../provider/src/resources/program-error.ts";

test("ends a program with its message, and brings no frames that the SDK would have to print", () => {
  const error = programError("xennet:password is stored in clear");
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  expect([error.message, error.stack]).toEqual(["xennet:password is stored in clear", ""]);
});
