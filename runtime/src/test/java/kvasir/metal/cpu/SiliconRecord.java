package kvasir.metal.cpu;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;

/**
 * What the processor of {@code silicon.bin} answered: instructions and a checksum of the state each left, see
 * {@link SiliconState#checksum}. A case begins in {@link SiliconCases#start} with its number as the seed.
 *
 * <p>The file is deflated: for 64-bit and then for 32-bit code, the number of cases (4 bytes), the length of each
 * instruction (1 byte each), all instructions, all checksums (4 bytes each); big endian.
 */
final class SiliconRecord {
    /** Where the scratch memory of recorded cases lies: addresses are in their registers. */
    static final long SCRATCH = 0x1010_0000L;

    private static final int CASES_64 = 150;
    private static final int CASES_32 = 50;

    /** One recorded case. */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Case(byte[] code, int checksum) {}

    private SiliconRecord() {}

    /** The recorded cases of 64-bit code, then those of 32-bit code. */
    static List<List<Case>> read() throws IOException {
        try (InputStream file = Objects.requireNonNull(SiliconRecord.class.getResourceAsStream("silicon.bin"));
                var in = new DataInputStream(new InflaterInputStream(file))) {
            return List.of(section(in), section(in));
        }
    }

    private static List<Case> section(DataInputStream in) throws IOException {
        int count = in.readInt();
        byte[] lengths = in.readNBytes(count);
        byte[][] codes = new byte[count][];
        for (int i = 0; i < count; i++) {
            codes[i] = in.readNBytes(lengths[i]);
        }
        var cases = new ArrayList<Case>(count);
        for (byte[] code : codes) {
            cases.add(new Case(code, in.readInt()));
        }
        return cases;
    }

    /** Records again, from this host's processor, into the file named. */
    public static void main(String[] arguments) throws IOException {
        HostProcessor host = HostProcessor.open();
        host.catchFaults();
        if (host.scratch() != SCRATCH) {
            throw new IOException("the low memory that recorded addresses lie in is taken; run again");
        }
        try (var out = new DataOutputStream(new DeflaterOutputStream(
                Files.newOutputStream(Path.of(arguments[0])), new Deflater(Deflater.BEST_COMPRESSION)))) {
            for (boolean bits32 : new boolean[] {false, true}) {
                write(out, record(host, bits32));
            }
        }
    }

    private static void write(DataOutputStream out, List<Case> cases) throws IOException {
        var codes = new ByteArrayOutputStream();
        out.writeInt(cases.size());
        for (Case each : cases) {
            out.writeByte(each.code().length);
            codes.writeBytes(each.code());
        }
        codes.writeTo(out);
        for (Case each : cases) {
            out.writeInt(each.checksum());
        }
    }

    private static List<Case> record(HostProcessor host, boolean bits32) {
        var cases = new SiliconCases(bits32, SCRATCH);
        var random = new SiliconCases.Random(bits32 ? 32 : 64);
        var recorded = new ArrayList<Case>();
        for (Encoding row : InstructionTable.rows()) {
            boolean absent =
                    row.feature().isPresent() && !host.has(row.feature().get());
            if (absent || !SiliconCases.comparable(row, bits32)) {
                continue;
            }
            int wanted = recorded.size() + (bits32 ? CASES_32 : CASES_64);
            for (int attempt = 0; attempt < 2 * CASES_64 && recorded.size() < wanted; attempt++) {
                Optional<Instruction> i = cases.instance(row, random);
                if (i.isPresent() && SiliconCases.consistent(i.get())) {
                    byte[] code = cases.code();
                    SiliconState state = cases.start(i.get(), recorded.size());
                    state.fault = host.run(bits32, code, code.length, state.r, state.scratch, state.extended);
                    state.forget(bits32, SiliconCases.definedFlags(i.get()));
                    recorded.add(new Case(code, state.checksum()));
                }
            }
        }
        return recorded;
    }
}
