import { describeValue } from "./engine-text.ts";
import type { CheckQuestion, CheckResult, ProviderCalls } from "./provider-client.ts";
import { Refusal } from "./refusal.ts";
import type { ResourceState } from "./resource-state.ts";
import { nameOf } from "./urn.ts";
import { containsUnknowns, markSecrets, type PropertyMap } from "./values.ts";

/** Asks the provider for the inputs that the resource is to have; refused ones are told with their values. */
export async function checkInputs(
  resource: ResourceState,
  question: CheckQuestion,
  client: ProviderCalls,
): Promise<PropertyMap> {
  const { inputs, failures } = await client.check(resource.urn, question);
  markSecrets(inputs, question.news);
  if (failures.length > 0) throw new Refusal(resource.urn, describeFailures(resource, failures));
  if (!question.allowUnknowns && containsUnknowns(inputs)) {
    throw new Error(
      `The provider's check of ${resource.urn} returned an unknown value, which is allowed in a preview only.`,
    );
  }
  return inputs;
}

function describeFailures({ type, urn, inputs }: ResourceState, failures: CheckResult["failures"]): string[] {
  const subject = `${type} resource '${nameOf(urn)}'`;
  return failures.map(({ property, reason }) => {
    if (property === "") return `${subject} has a problem: ${reason}`;
    return `${subject}: property ${property} value ${describeValue(inputs[property])} has a problem: ${reason}`;
  });
}
