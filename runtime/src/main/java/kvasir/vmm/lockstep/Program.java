package kvasir.vmm.lockstep;

import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;

/**
 * What is in memory at RESET: a start in real mode at 0:7C00h, which for 32- and 64-bit code goes on to that mode with flat
 * segments, 32 MiB of identity-mapped pages and an IDT whose every handler is one HLT.
 *
 * @param memory physical address to bytes
 * @param code where the code under test begins
 */
record Program(Map<Long, byte[]> memory, long code) {
    static final long START = 0x7c00;
    static final long STACK = 0x7000;

    /** Handler of vector v: 5000h + 16 v. */
    static final long HANDLERS = 0x5000;

    private static final long CODE = 0x8000;
    private static final long IDT = 0x4000;
    private static final long TABLES = 0x1000;
    private static final long GDT = 0x7e00;
    private static final long TSS = 0x7f00;

    static Program of(CodeSize size, byte[] code) {
        if (size == CodeSize.BITS16) {
            return new Program(Map.of(START, code), START);
        }
        boolean bits64 = size == CodeSize.BITS64;
        var memory = new LinkedHashMap<Long, byte[]>();
        memory.put(START, start(bits64));
        memory.put(
                GDT,
                words(
                        0,
                        0x00cf_9b00_0000_ffffL,
                        0x00cf_9300_0000_ffffL,
                        0x00af_9b00_0000_ffffL,
                        0x00cf_fb00_0000_ffffL,
                        0x00cf_f300_0000_ffffL,
                        0x00af_fb00_0000_ffffL,
                        0x0000_8900_0000_0067L | TSS << 16,
                        0));
        memory.put(TSS + 4, words(bits64 ? STACK : STACK | 0x10L << 32));
        memory.put(IDT, idt(bits64));
        memory.put(HANDLERS, handlers());
        if (bits64) {
            memory.put(TABLES, words(0x2007));
            memory.put(TABLES + 0x1000, words(0x3007));
            long[] pages = new long[16];
            for (int i = 0; i < pages.length; i++) {
                pages[i] = (long) i << 21 | 0x87;
            }
            memory.put(TABLES + 0x2000, words(pages));
        }
        if (!bits64) {
            long[] pages = new long[4];
            for (int i = 0; i < pages.length; i++) {
                pages[i] = (2L * i << 22 | 0x87) | (2L * i + 1 << 22 | 0x87) << 32;
            }
            memory.put(TABLES, words(pages));
        }
        memory.put(CODE, code);
        return new Program(memory, CODE);
    }

    private static byte[] start(boolean bits64) {
        var out = new ByteArrayOutputStream();
        byte[] pointers = {
            0x47, 0, (byte) GDT, (byte) (GDT >> 8), 0, 0, (byte) 0xff, 0xf, (byte) IDT, (byte) (IDT >> 8), 0, 0
        };
        String common = """
                cli
                lgdt [0x7cf0]
                lidt [0x7cf6]
                """;
        String long64 = """
                mov eax, 0x620
                mov cr4, eax
                mov eax, 0x1000
                mov cr3, eax
                mov ecx, 0xc0000080
                mov eax, 0x901
                xor edx, edx
                wrmsr
                mov eax, 0x80010033
                mov cr0, eax
                jmpf 0x18:0x7d00
                """;
        String flat32 = """
                mov eax, 0x610
                mov cr4, eax
                mov eax, 0x1000
                mov cr3, eax
                mov eax, 0x80000033
                mov cr0, eax
                jmpf 0x08:0x7d00
                """;
        out.writeBytes(assemble(CodeSize.BITS16, START, common + (bits64 ? long64 : flat32)));
        pad(out, 0xf0);
        out.writeBytes(pointers);
        pad(out, 0x100);
        String segments = """
                mov eax, 0x10
                mov ds, ax
                mov es, ax
                mov ss, ax
                mov fs, ax
                mov gs, ax
                mov esp, 0x7000
                mov eax, 0x38
                ltr ax
                xor eax, eax
                """;
        String go = bits64 ? "mov rcx, 0x8000\njmp rcx" : "mov ecx, 0x8000\njmp ecx";
        out.writeBytes(assemble(bits64 ? CodeSize.BITS64 : CodeSize.BITS32, START + 0x100, segments + go));
        return out.toByteArray();
    }

    private static void pad(ByteArrayOutputStream out, int size) {
        while (out.size() < size) {
            out.write(0);
        }
    }

    static byte[] assemble(CodeSize size, long origin, String text) {
        Assembled assembled = AssemblyText.assemble(size, origin, text);
        if (!assembled.ok()) {
            throw new IllegalStateException(assembled.errors().toString());
        }
        return assembled.code().toArray();
    }

    private static byte[] idt(boolean bits64) {
        var out = new ByteArrayOutputStream();
        for (int vector = 0; vector < 256; vector++) {
            long target = HANDLERS + 16L * vector;
            long selector = bits64 ? 0x18 : 0x08;
            out.writeBytes(words(target & 0xffff | selector << 16 | 0x8e00L << 32));
            if (bits64) {
                out.writeBytes(words(0));
            }
        }
        return out.toByteArray();
    }

    private static byte[] handlers() {
        byte[] code = new byte[4096];
        for (int i = 0; i < code.length; i += 16) {
            code[i] = (byte) 0xf4;
        }
        return code;
    }

    private static byte[] words(long... values) {
        byte[] bytes = new byte[8 * values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (values[i >> 3] >>> 8 * (i & 7));
        }
        return bytes;
    }
}
