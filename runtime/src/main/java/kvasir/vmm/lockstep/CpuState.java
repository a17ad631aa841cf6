package kvasir.vmm.lockstep;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Segment;

/**
 * What both processors show of themselves between two instructions.
 *
 * @param values register names, in an order for people, to values
 */
record CpuState(Map<String, Long> values) {
    private static final String[] GPR = {
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"
    };
    private static final String[] SEGMENTS = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};
    /** QEMU's LTR sets it in memory only. */
    private static final long TSS_BUSY = 2;

    private static final Pattern PAIR = Pattern.compile("\\b([A-Z0-9]{2,5}) ?=([0-9a-f]+)");
    private static final Pattern SEGMENT =
            Pattern.compile("\\b(ES|CS|SS|DS|FS|GS|LDT|TR) ?=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]{8}) ([0-9a-f]{8})");
    private static final Pattern TABLE = Pattern.compile("\\b(GDT|IDT)= +([0-9a-f]+) ([0-9a-f]{8})");

    /** Our processor. */
    static CpuState of(Cpu cpu) {
        var values = new LinkedHashMap<String, Long>();
        values.put("RIP", cpu.rip());
        for (int i = 0; i < GPR.length; i++) {
            values.put(GPR[i], cpu.gpr(i));
        }
        values.put("RFLAGS", cpu.rflags());
        for (int i = 0; i < SEGMENTS.length; i++) {
            put(values, SEGMENTS[i], cpu.segment(i));
        }
        values.put("GDT.base", cpu.gdtr().base());
        values.put("GDT.limit", (long) cpu.gdtr().limit());
        values.put("IDT.base", cpu.idtr().base());
        values.put("IDT.limit", (long) cpu.idtr().limit());
        for (int number : new int[] {0, 2, 3, 4}) {
            values.put("CR" + number, cpu.cr(number));
        }
        for (int number : new int[] {0, 1, 2, 3, 6, 7}) {
            values.put("DR" + number, cpu.dr(number));
        }
        values.put("EFER", cpu.msr(0xc000_0080).orElse(0));
        return new CpuState(values);
    }

    private static void put(Map<String, Long> values, String name, Segment segment) {
        values.put(name, (long) segment.selector());
        values.put(name + ".base", segment.base());
        values.put(name + ".limit", Integer.toUnsignedLong(segment.limit()));
        values.put(name + ".access", (long) (segment.unusable() ? 0 : segment.access() & 0xf0ff));
    }

    /** QEMU's, from what its monitor prints for {@code info registers}. */
    static CpuState parse(String text) {
        var values = new LinkedHashMap<String, Long>();
        Matcher pairs = PAIR.matcher(text);
        while (pairs.find()) {
            String name = pairs.group(1);
            String full =
                    name.length() == 3 && name.startsWith("E") && !name.equals("EFL") ? "R" + name.substring(1) : name;
            values.putIfAbsent(full.equals("EFL") || full.equals("RFL") ? "RFLAGS" : full, unsigned(pairs.group(2)));
        }
        Matcher segments = SEGMENT.matcher(text);
        while (segments.find()) {
            String name = segments.group(1);
            values.put(name, unsigned(segments.group(2)));
            values.put(name + ".base", unsigned(segments.group(3)));
            values.put(name + ".limit", unsigned(segments.group(4)));
            long flags = unsigned(segments.group(5)) >>> 8 & 0xf0ff;
            values.put(name + ".access", (flags & 0x80) != 0 ? flags : 0);
        }
        Matcher tables = TABLE.matcher(text);
        while (tables.find()) {
            values.put(tables.group(1) + ".base", unsigned(tables.group(2)));
            values.put(tables.group(1) + ".limit", unsigned(tables.group(3)));
        }
        return new CpuState(values);
    }

    private static long unsigned(String hex) {
        return Long.parseUnsignedLong(hex, 16);
    }

    long get(String name) {
        return values.getOrDefault(name, 0L);
    }

    /** One difference: {@code RAX: 0x1 here, 0x2 in QEMU}. */
    record Difference(String register, long here, long there) {
        @Override
        public String toString() {
            return "%s: 0x%x here, 0x%x in QEMU".formatted(register, here, there);
        }
    }

    /**
     * What differs.
     *
     * @param flags the bits of RFLAGS that count
     */
    List<Difference> against(CpuState qemu, long flags) {
        var found = new ArrayList<Difference>();
        values.forEach((name, value) -> {
            long mask = name.equals("RFLAGS") ? flags : name.equals("TR.access") ? ~TSS_BUSY : -1;
            long other = qemu.values.getOrDefault(name, name.matches("R\\d+") ? 0L : value);
            if (((value ^ other) & mask) != 0 && !hidden(name)) {
                found.add(new Difference(name, value, other));
            }
        });
        return found;
    }

    /** Parts that no program can see: base and limit of a segment that holds no descriptor. */
    private boolean hidden(String name) {
        int dot = name.indexOf('.');
        return dot > 0 && values.getOrDefault(name.substring(0, dot) + ".access", 1L) == 0;
    }
}
