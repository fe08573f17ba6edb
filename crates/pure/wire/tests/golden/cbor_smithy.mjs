// Writes what the JavaScript SDK's serializer makes of inputs, as JSON: cbor_smithy.json.
//
//     npm install @smithy/core && node cbor_smithy.mjs > cbor_smithy.json
import { cbor, dateToTag } from "@smithy/core/cbor";

const hex = (value) => Buffer.from(cbor.serialize(value)).toString("hex");
console.log(
  JSON.stringify(
    {
      everything: hex({
        Name: "kü🔑", Count: -5, Long: 5000000000, Flag: true, Data: new Uint8Array([0, 1, 255]),
        At: dateToTag(new Date(1763908618123)), Status: "Active", Tags: [{ Key: "a", Value: "1" }, { Key: "b" }],
        Names: ["x", ""], Context: { b: "2", a: "1" }, Owner: { Key: "o" },
      }),
      nothing: hex({}),
      nulls: hex({ Name: null, Tags: null, Unknown: { a: [1.5, null, 2n ** 63n] } }),
    },
    null,
    1,
  ),
);
