package kvasir.metal.snp.psp;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.registry.Bytes;
import kvasir.vmm.attest.ReportVerifier;
import org.junit.jupiter.api.Test;

/** Guest messages and reports, seen from the guest and from a relying party. */
final class AttestationTest {
    /** A guest of a bench: its context and its secrets page. */
    private record Guest(FirmwareBench bench, long context, long secrets, long response) {
        static Guest launched(Rules rules) {
            FirmwareBench bench = new FirmwareBench(rules, FirmwareBench.config()).init();
            long context = bench.active(FirmwareBench.POLICY, 1);
            long secrets = bench.add(context, PageType.SECRETS, 0x1000, 1);
            bench.finish(context);
            return new Guest(bench, context, secrets, bench.firmwarePage());
        }

        byte[] key(int vmpck) {
            return bench.read(secrets + 0x20 + 32L * vmpck, 32);
        }

        FirmwareStatus send(byte[] request) {
            CommandBuffer.write(bench.memory, 0x5000, Bytes.of(request));
            return bench.command(
                    FirmwareCommand.SNP_GUEST_REQUEST, CommandBuffer.guestRequest(context, 0x5000, response));
        }

        /** One exchange under VMPCK0 as Linux does it; {@code count} messages were exchanged before. */
        byte[] exchange(int type, byte[] payload, long count) throws GeneralSecurityException {
            assertEquals(FirmwareStatus.SUCCESS, send(seal(key(0), count + 1, type, 0, payload)));
            byte[] answer = bench.read(response, 4096);
            ByteBuffer header = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(count + 2, header.getLong(0x20));
            assertEquals(type + 1, header.get(0x34));
            int size = header.getShort(0x36);
            var sealed = new byte[size + 16];
            System.arraycopy(answer, 0x60, sealed, 0, size);
            System.arraycopy(answer, 0, sealed, size, 16);
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, key(0), count + 2);
            cipher.updateAAD(answer, 0x30, 0x30);
            return cipher.doFinal(sealed);
        }
    }

    private static Cipher cipher(int mode, byte[] key, long sequence) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        byte[] iv = Arrays.copyOf(
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(sequence)
                        .array(),
                12);
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, iv));
        return cipher;
    }

    private static byte[] seal(byte[] key, long sequence, int type, int vmpck, byte[] payload) {
        try {
            var page = new byte[4096];
            ByteBuffer out = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
            out.putLong(0x20, sequence).put(0x30, (byte) 1).put(0x31, (byte) 1).putShort(0x32, (short) 96);
            out.put(0x34, (byte) type).put(0x35, (byte) 1).putShort(0x36, (short) payload.length);
            out.put(0x3c, (byte) vmpck);
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, sequence);
            cipher.updateAAD(page, 0x30, 0x30);
            byte[] sealed = cipher.doFinal(payload);
            System.arraycopy(sealed, 0, page, 0x60, payload.length);
            System.arraycopy(sealed, payload.length, page, 0, 16);
            return page;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] reportRequest(int vmpl) {
        byte[] request = new byte[96];
        Arrays.fill(request, 0, 64, (byte) 0xab);
        request[0x40] = (byte) vmpl;
        return request;
    }

    private static byte[] resource(String name) throws IOException {
        try (var in = AttestationTest.class.getResourceAsStream("/snp/" + name)) {
            if (in == null) {
                throw new IllegalStateException("no test resource " + name);
            }
            return in.readAllBytes();
        }
    }

    /** The certificates of a PEM file, in its order. */
    private static List<byte[]> pem(String name) throws IOException {
        var certificates = new ArrayList<byte[]>();
        var base64 = new StringBuilder();
        for (String line :
                new String(resource(name), StandardCharsets.US_ASCII).lines().toList()) {
            if (line.startsWith("-----END")) {
                certificates.add(Base64.getDecoder().decode(base64.toString()));
                base64.setLength(0);
            } else if (!line.startsWith("-----")) {
                base64.append(line.strip());
            }
        }
        return certificates;
    }

    @Test
    void r1ARealReportVerifies() throws Exception {
        byte[] report = resource("report_milan_v2_a.bin");
        List<byte[]> authorities = pem("ask_ark_milan.pem");
        List<byte[]> chain = List.of(resource("vcek_milan_a.der"), authorities.get(0), authorities.get(1));
        assertEquals("ok", ReportVerifier.verify(report, chain));
        assertEquals(
                "b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01",
                HexFormat.of().formatHex(report, 0x90, 0xc0));
        ByteBuffer fields = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(2, fields.getInt(0x000), "version");
        assertEquals(0, fields.getInt(0x004), "guest SVN");
        assertEquals(0xb0000, fields.getLong(0x008), "policy");
        assertEquals(0, fields.getInt(0x030), "VMPL");
        assertEquals(1, fields.getInt(0x034), "algorithm");
        for (int at : new int[] {0x038, 0x180, 0x1e0, 0x1f0}) {
            assertEquals(0x4405_0000_0000_0002L, fields.getLong(at), "TCB");
        }
        assertEquals(1, fields.getLong(0x040), "platform info");
        assertEquals(0, fields.getInt(0x048), "key info");
        assertEquals("0102030405", HexFormat.of().formatHex(report, 0x50, 0x55));
        assertEquals("033101" + "00" + "033101", HexFormat.of().formatHex(report, 0x1e8, 0x1ef), "build, minor, major");
        assertEquals(
                "8edc638e1857c555d21f6b11bda3c8b1b5a09dba4852b4c8ee7aa2f16f22cc0a" + "ff".repeat(32),
                HexFormat.of().formatHex(report, 0x140, 0x180));
        assertEquals("3ac3fe21e13fb099", HexFormat.of().formatHex(report, 0x1a0, 0x1a8));
        assertArrayEquals(new byte[96], Arrays.copyOfRange(report, 0x0e0, 0x140), "no identity");
        var random = new SplittableRandom(1);
        for (int at = 0; at < 0x2a0; at++) {
            byte[] forged = report.clone();
            forged[at] ^= (byte) (1 << random.nextInt(8));
            assertNotEquals("ok", ReportVerifier.verify(forged, chain), "byte " + at);
        }
        assertEquals(
                "ok",
                ReportVerifier.verify(
                        resource("report_milan_v2_b.bin"),
                        List.of(resource("vcek_milan_b.der"), authorities.get(0), authorities.get(1))));
    }

    @Test
    void theVerifierSharesNoCodeWithTheFirmware() throws IOException {
        String source =
                Files.readString(Path.of("src", "main", "java", "kvasir", "vmm", "attest", "ReportVerifier.java"));
        assertEquals(
                "package kvasir.vmm.attest;",
                source.lines().filter(l -> l.contains("kvasir.")).collect(joining()));
    }

    @Test
    void aReportOfThisPlatformVerifiesUpToItsRoot() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        byte[] answer = guest.exchange(5, reportRequest(0), 0);
        ByteBuffer in = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(0, in.getInt(0));
        assertEquals(1184, in.getInt(4));
        byte[] report = Arrays.copyOfRange(answer, 32, 32 + 1184);
        List<byte[]> chain = guest.bench.firmware.certificateChain().stream()
                .map(Bytes::toArray)
                .toList();
        assertEquals("ok", ReportVerifier.verify(report, chain));
        byte[] forged = report.clone();
        forged[0x90] ^= 1;
        assertEquals("signature", ReportVerifier.verify(forged, chain));
        ByteBuffer fields = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(2, fields.getInt(0x000), "version");
        assertEquals(0x30000, fields.getLong(0x008), "policy");
        assertEquals(1, fields.getInt(0x034), "algorithm");
        assertEquals(0x7308_0000_0000_0003L, fields.getLong(0x180), "reported TCB");
        assertEquals((byte) 0xab, report[0x50 + 63]);
        assertEquals(
                guest.bench.firmware.launchDigest(guest.context).orElseThrow().hex(),
                HexFormat.of().formatHex(report, 0x90, 0xc0));
        assertEquals("ff".repeat(32), HexFormat.of().formatHex(report, 0x160, 0x180), "no migration agent");
        assertEquals(21, report[0x1e8], "build");
        assertEquals(55, report[0x1e9], "minor");
        assertEquals(1, report[0x1ea], "major");
        assertArrayEquals(new byte[0x4a0 - 0x330], Arrays.copyOfRange(report, 0x330, 0x4a0));
    }

    @Test
    void aReportWithAMaskedChipIdNeedsAnotherProof() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        guest.bench.expect(
                FirmwareStatus.SUCCESS,
                FirmwareCommand.SNP_CONFIG,
                CommandBuffer.config(new Tcb(2, 0, 8, 0x73).version(), true, false));
        byte[] report = Arrays.copyOfRange(guest.exchange(5, reportRequest(1), 0), 32, 32 + 1184);
        assertArrayEquals(new byte[64], Arrays.copyOfRange(report, 0x1a0, 0x1e0));
        assertEquals(2, report[0x180]);
        assertEquals(1, report[0x30], "VMPL asked for");
    }

    @Test
    void sequenceNumbersGoUpByTwoAndNeverBack() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        guest.exchange(5, reportRequest(0), 0);
        guest.exchange(5, reportRequest(3), 2);
        assertEquals(FirmwareStatus.INVALID_PARAM, guest.send(seal(guest.key(0), 3, 5, 0, reportRequest(0))));
        assertEquals(FirmwareStatus.INVALID_PARAM, guest.send(seal(guest.key(0), 6, 5, 0, reportRequest(0))));
        assertEquals(
                FirmwareStatus.BAD_SIGNATURE, guest.send(seal(guest.key(1), 5, 5, 0, reportRequest(0))), "wrong key");
        guest.exchange(5, reportRequest(0), 4);
        new GuestContext(guest.bench.memory, guest.context).messages(1, -2);
        assertEquals(FirmwareStatus.AEAD_OVERFLOW, guest.send(seal(guest.key(1), -1, 5, 1, reportRequest(1))));
    }

    @Test
    void aTamperedHeaderIsABadSignature() {
        Guest guest = Guest.launched(Rules.standard());
        byte[] request = seal(guest.key(0), 1, 5, 0, reportRequest(0));
        request[0x34] = 3;
        assertEquals(FirmwareStatus.BAD_SIGNATURE, guest.send(request));
        request[0x30] = 2;
        assertEquals(FirmwareStatus.INVALID_PARAM, guest.send(request), "unknown algorithm");
        Guest lenient = Guest.launched(Rules.standard().with(Rule.MESSAGE_AUTHENTICATION_IS_SIGNATURE));
        assertEquals(FirmwareStatus.INVALID_PARAM, lenient.send(seal(lenient.key(1), 1, 5, 0, reportRequest(0))));
    }

    @Test
    void theResponsePageMustBeFirmwares() {
        Guest guest = Guest.launched(Rules.standard());
        assertEquals(
                FirmwareStatus.INVALID_PAGE_STATE,
                guest.bench.command(
                        FirmwareCommand.SNP_GUEST_REQUEST, CommandBuffer.guestRequest(guest.context, 0x5000, 0x6000)));
        long launching = guest.bench.active(FirmwareBench.POLICY, 2);
        assertEquals(
                FirmwareStatus.INVALID_GUEST_STATE,
                guest.bench.command(
                        FirmwareCommand.SNP_GUEST_REQUEST,
                        CommandBuffer.guestRequest(launching, 0x5000, guest.response)));
    }

    @Test
    void refusalsInsideAnAnswer() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        byte[] noSuchVmpl = guest.exchange(5, reportRequest(4), 0);
        assertEquals(0x16, noSuchVmpl[0]);
        byte[] vlek = reportRequest(0);
        vlek[0x44] = 2;
        assertEquals(0x27, guest.exchange(5, vlek, 2)[0], "no VLEK is loaded");
        vlek[0x44] = 3;
        assertEquals(0x27, guest.exchange(5, vlek, 4)[0], "reserved");
        vlek[0x44] = 4;
        assertEquals(0x16, guest.exchange(5, vlek, 6)[0], "no such bit");
    }

    /** Leaf 7 with AVX-512F in EBX, which a Milan lacks, and a leaf of the hypervisor, which is not looked at. */
    @Test
    void aCpuidTableComesBackWithWhatWouldHavePassed() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        byte[] table = new byte[16 + 2 * 48];
        ByteBuffer in = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
        in.putInt(0, 2)
                .putInt(16, 7)
                .putInt(16 + 28, 1 << 16)
                .putInt(64, 0x4000_0000)
                .putInt(64 + 28, -1);
        ByteBuffer answer = ByteBuffer.wrap(guest.exchange(1, table, 0)).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(table.length, answer.capacity());
        assertEquals(0x16, answer.getInt(0));
        assertEquals(1, answer.getInt(4), "entries that were looked at");
        assertEquals(0, answer.getInt(16 + 28));
        assertEquals(-1, answer.getInt(64 + 28));
        in.putInt(16 + 28, 0);
        assertEquals(
                0,
                ByteBuffer.wrap(guest.exchange(1, table, 2))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getInt(0));
        in.putInt(0, 65);
        byte[] refused = guest.exchange(1, table, 4);
        assertEquals(0x16, refused[0]);
        assertArrayEquals(new byte[table.length - 1], Arrays.copyOfRange(refused, 1, refused.length));
    }

    private static byte[] keyRequest(int root, long select, int vmpl, int svn, long tcb) {
        return ByteBuffer.allocate(32)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(root)
                .putInt(0)
                .putLong(select)
                .putInt(vmpl)
                .putInt(svn)
                .putLong(tcb)
                .array();
    }

    @Test
    void derivedKeysDependOnWhatIsSelectedAndOnNothingElse() throws Exception {
        Guest a = Guest.launched(Rules.standard());
        byte[] plain = a.exchange(3, keyRequest(0, 0, 0, 0, 0), 0);
        assertArrayEquals(plain, a.exchange(3, keyRequest(0, 0, 0, 0, 2), 2), "the TCB is not selected");
        byte[] withTcb = a.exchange(3, keyRequest(0, 32, 0, 0, 2), 4);
        assertFalse(Arrays.equals(plain, withTcb));
        assertFalse(Arrays.equals(withTcb, a.exchange(3, keyRequest(0, 32, 0, 0, 3), 6)));
        byte[] measured = a.exchange(3, keyRequest(0, 8, 0, 0, 0), 8);
        assertArrayEquals(plain, a.exchange(3, keyRequest(0, 0, 0, 1, 0), 10), "the SVN is not selected");
        byte[] vmrk = a.exchange(3, keyRequest(1, 0, 0, 0, 0), 12);
        assertEquals(0x16, a.exchange(3, keyRequest(0, 16, 0, 1, 0), 14)[0], "an SVN above the guest's own");
        assertEquals(0x16, a.exchange(3, keyRequest(0, 32, 0, 0, 9), 16)[0], "a boot loader that was never committed");
        assertEquals(0x16, a.exchange(3, keyRequest(8, 0, 0, 0, 0), 18)[0], "a reserved bit");
        assertArrayEquals(plain, a.exchange(3, keyRequest(2, 0, 0, 0, 0), 20), "KEY_SEL 1: the VCEK");
        assertEquals(0x27, a.exchange(3, keyRequest(4, 0, 0, 0, 0), 22)[0], "KEY_SEL 2: no VLEK is loaded");
        assertEquals(0x27, a.exchange(3, keyRequest(6, 0, 0, 0, 0), 24)[0], "KEY_SEL 3");
        Guest b = Guest.launched(Rules.standard());
        b.bench.add(b.bench.active(FirmwareBench.POLICY, 2), PageType.ZERO, 0, 2);
        assertArrayEquals(plain, b.exchange(3, keyRequest(0, 0, 0, 0, 0), 0), "same chip, nothing selected");
        assertArrayEquals(measured, b.exchange(3, keyRequest(0, 8, 0, 0, 0), 2), "same measurement");
        assertFalse(Arrays.equals(plain, vmrk));
        assertTrue(Arrays.equals(new byte[28], Arrays.copyOfRange(plain, 4, 32)));
    }

    @Test
    void tscInfo() throws Exception {
        Guest guest = Guest.launched(Rules.standard());
        byte[] answer = guest.exchange(17, new byte[128], 0);
        assertEquals(0, ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getInt(0));
        byte[] reserved = new byte[128];
        reserved[127] = 1;
        assertEquals(0x16, guest.exchange(17, reserved, 2)[0]);
        for (int type : new int[] {7, 9, 11, 13, 15, 19}) {
            assertEquals(
                    FirmwareStatus.INVALID_PARAM,
                    guest.send(seal(guest.key(0), 5, type, 0, new byte[128])),
                    "type " + type);
        }
    }
}
