package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.function.ToLongFunction;
import kvasir.metal.cpu.ExtendedRegisters;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;

/** The x87, MMX and vector registers of a vCPU in scripts (KVM_GET_FPU, KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE). */
final class VcpuFpu {
    private static final int ST_BYTES = 10;
    private static final int XMM_BYTES = 16;
    private static final int YMM_BYTES = 32;

    private VcpuFpu() {}

    static <T extends VcpuHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        Api.Builder<T> declared = api;
        for (int i = 0; i < 8; i++) {
            int number = i;
            declared = declared.property(
                    "st" + i,
                    "bytes",
                    "x87 register ST(" + i
                            + ") as FSTP stores it: 10 bytes, significand first. Setting it does not tag it.",
                    "show plain.vcpu0.st" + i,
                    v -> stack(v, number),
                    (v, value) -> sized(v, value, ST_BYTES, bytes -> setStack(v, number, bytes)));
        }
        for (int i = 0; i < 16; i++) {
            declared = vector(vector(declared, "xmm", i, XMM_BYTES), "ymm", i, YMM_BYTES);
        }
        return words(declared);
    }

    private static <T extends VcpuHandle> Api.Builder<T> vector(
            Api.Builder<T> api, String file, int number, int bytes) {
        return api.property(
                file + number,
                "bytes",
                "Vector register, " + bytes + " bytes as a store puts them in memory, element 0 first.",
                "plain.vcpu0." + file + number + " = hex\"" + "00".repeat(bytes) + "\"",
                v -> Bytes.of(read(v, number, bytes)),
                (v, value) -> sized(v, value, bytes, content -> write(v, number, content)));
    }

    private static <T extends VcpuHandle> Api.Builder<T> words(Api.Builder<T> api) {
        return word(
                word(
                        word(
                                word(
                                        api,
                                        "fcw",
                                        "x87 control word.",
                                        r -> r.x87Control(),
                                        (r, value) -> environment(r, (int) value, r.x87Status(), r.x87Tag())),
                                "fsw",
                                "x87 status word, TOP included.",
                                r -> r.x87Status(),
                                (r, value) -> environment(r, r.x87Control(), (int) value, r.x87Tag())),
                        "ftw",
                        "x87 tags as FXSAVE has them: a bit for each physical register that is not empty.",
                        r -> r.x87Tag(),
                        (r, value) -> environment(r, r.x87Control(), r.x87Status(), (int) value)),
                "mxcsr",
                "Control and status of SSE and AVX arithmetic.",
                r -> r.mxcsr(),
                (r, value) -> r.setMxcsr((int) value));
    }

    /** Sets one of the control words. */
    private interface Change {
        void apply(ExtendedRegisters registers, long value);
    }

    private static <T extends VcpuHandle> Api.Builder<T> word(
            Api.Builder<T> api, String name, String doc, ToLongFunction<ExtendedRegisters> read, Change change) {
        return api.property(
                name,
                "u64",
                doc,
                "show plain.vcpu0." + name,
                v -> read.applyAsLong(v.cpu().extended()),
                (v, value) -> v.set(value, () -> change.apply(v.cpu().extended(), (Long) value)));
    }

    private static void environment(ExtendedRegisters r, int control, int status, int tag) {
        r.setX87Environment(control, status, tag, r.x87Opcode(), r.x87InstructionPointer(), r.x87DataPointer());
    }

    /** What a property of {@code bytes} bytes is set to. */
    private interface Content {
        void accept(ByteBuffer content);
    }

    private static Object sized(VcpuHandle v, Object value, int bytes, Content content) {
        if (!(value instanceof Bytes given) || given.length() != bytes) {
            return new Outcome.Failed("EINVAL", "the register has " + bytes + " bytes", Map.of());
        }
        return v.set(
                value, () -> content.accept(ByteBuffer.wrap(given.toArray()).order(ByteOrder.LITTLE_ENDIAN)));
    }

    private static int physical(ExtendedRegisters r, int number) {
        return (r.x87Status() >> 11) + number & 7;
    }

    private static Bytes stack(VcpuHandle v, int number) {
        ExtendedRegisters r = v.cpu().extended();
        int register = physical(r, number);
        ByteBuffer content = ByteBuffer.allocate(ST_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(r.significand(register)).putShort((short) r.signExponent(register));
        return Bytes.of(content.array());
    }

    private static void setStack(VcpuHandle v, int number, ByteBuffer content) {
        ExtendedRegisters r = v.cpu().extended();
        r.setX87(physical(r, number), content.getLong(0), content.getShort(8));
    }

    private static byte[] read(VcpuHandle v, int number, int bytes) {
        ByteBuffer content = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int word = 0; word < bytes / 8; word++) {
            content.putLong(v.cpu().extended().ymm(number, word));
        }
        return content.array();
    }

    private static void write(VcpuHandle v, int number, ByteBuffer content) {
        for (int word = 0; word < content.capacity() / 8; word++) {
            v.cpu().extended().setYmm(number, word, content.getLong(8 * word));
        }
    }
}
