import { vm } from "kvs";
const plain = vm({ type: "default", memory: "0 .. 1M" });
function inner() {
    return plain.ept[0].raw + 1;
}
inner();
