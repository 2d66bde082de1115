import { DER, type DerElement, readDer } from "./der.ts";

const COMMON_NAME = "550403"; // 2.5.4.3

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** The common name, the last if there are several; "" when there is none. */
export function commonNameOf(name: DerElement | undefined): string {
  const value = attributesOf(name).findLast(({ id }) => id === COMMON_NAME)?.value;
  if (value === undefined) return "";
  // The other types of text that occur in names hold a byte a character.
  return (value.tag === DER.utf8String ? utf8 : latin1).decode(value.content);
}

/** A text that two names have in common when they are the same but for the type of their texts. */
export function comparableName(name: DerElement | undefined): string {
  return attributesOf(name).map(({ id, value }) => `${id}=${value.content.toHex()}`).join("+");
}

function attributesOf(name: DerElement | undefined): { id: string; value: DerElement }[] {
  const sets = readDer(name?.content);
  return sets.flatMap(({ content }) => readDer(content)).flatMap(({ content }) => {
    const [id, value] = readDer(content);
    return id === undefined || value === undefined ? [] : [{ id: id.content.toHex(), value }];
  });
}
