package kvasir.metal.snp.psp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECPoint;
import java.util.Arrays;
import java.util.Base64;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

/** ID block and ID authentication; vectors from virtee/sev. */
final class IdBlockTest {
    private static final Bytes ZERO16 = Bytes.of(new byte[16]);
    private static final Bytes DIGEST = Bytes.fromHex(
            "a14d638341e5674628fe1e02fbedebe5e5ab4faf1dd72d8966068e615bb99efd13d214b35c231715b38e263dc6059745");
    private static final Bytes BLOCK = new IdBlock(DIGEST, ZERO16, ZERO16, 1, 0, 0x30000).encode();
    private static final String ID_KEY_DIGEST =
            "59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3baf3b5eb4b1496df3b0dbbdcbae5fe27677a644820773fe2";

    private static byte[] authentication() throws IOException {
        try (var in = IdBlockTest.class.getResourceAsStream("/snp/id_auth_block.bin")) {
            if (in == null) {
                throw new IllegalStateException("no test resource");
            }
            return in.readAllBytes();
        }
    }

    /** Finishes a launch whose digest is {@code digest}. */
    private static FirmwareStatus finish(
            FirmwareBench bench, long context, Bytes digest, Bytes block, byte[] authentication) {
        bench.firmware.seedLaunchDigest(context, digest);
        CommandBuffer.write(bench.memory, 0x2000, block);
        CommandBuffer.write(bench.memory, 0x3000, Bytes.of(authentication));
        return bench.command(
                FirmwareCommand.SNP_LAUNCH_FINISH,
                CommandBuffer.launchFinish(context, 0x2000, 0x3000, true, false, FirmwareBench.NO_HOST_DATA));
    }

    /** Through a launch: {@code scripts/snp/identity.kvs}. */
    @Test
    void i1KeyDigest() {
        assertEquals(
                "870b7e35c53f8a72d0d322f75ab2af8262792aaf6579622ce4131c3f21f289e77cb0560a5e3b90b3932e674ec709cb14",
                SnpPublicKey.p384(
                                new BigInteger(
                                        "b20fd1a1c2bd2b65183a76e2390ac805f6d8e5e2af725e5a8e93cf87ec029f9d45eb326b04b92beb714e14fa986f8a9a",
                                        16),
                                new BigInteger(
                                        "2c94a0b8ab30cc76352675944876891e954ff6ef5826a6231ba6d6d7f6ebfb68ce330e1e59394efb7080883ddc69364b",
                                        16))
                        .digest()
                        .hex());
    }

    @Test
    void i2IdBlock() {
        Bytes digest = Bytes.fromHex(
                "076f052d08bda7a700aa2a608c5caa6b00ebad297b6d68a85a45b1e669a558b67e1b91d284a301fe63c4fa0750467eed");
        assertEquals(
                "B28FLQi9p6cAqipgjFyqawDrrSl7bWioWkWx5mmlWLZ+G5HShKMB/mPE+gdQRn7tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"
                        + "AAAAAAAAAAAAAwAAAAAA",
                Base64.getEncoder()
                        .encodeToString(new IdBlock(digest, ZERO16, ZERO16, 1, 0, 0x30000)
                                .encode()
                                .toArray()));
    }

    /** The published block, signed by a key of ours: the firmware takes it for the guest that it describes, and no other. */
    @Test
    void i2ThePublishedBlockFinishesTheLaunchOfItsGuest() throws GeneralSecurityException {
        Bytes block = Bytes.of(
                Base64.getDecoder()
                        .decode(
                                "B28FLQi9p6cAqipgjFyqawDrrSl7bWioWkWx5mmlWLZ+G5HShKMB/mPE+gdQRn7tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAwAAAAAA"));
        Bytes digest = Bytes.fromHex(
                "076f052d08bda7a700aa2a608c5caa6b00ebad297b6d68a85a45b1e669a558b67e1b91d284a301fe63c4fa0750467eed");
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp384r1"), new SeededRandom(ZERO16, "I2"));
        KeyPair pair = generator.generateKeyPair();
        var page = new byte[4096];
        page[0] = 1; // ECDSA P-384 with SHA-384
        page[4] = 1;
        sign(pair, block.toArray(), page, 0x40);
        ECPoint point = ((ECPublicKey) pair.getPublic()).getW();
        page[0x240] = 2; // P-384
        littleEndian(point.getAffineX(), page, 0x244);
        littleEndian(point.getAffineY(), page, 0x28c);
        byte[] key = Arrays.copyOfRange(page, 0x240, 0x644);
        sign(pair, key, page, 0x680);
        System.arraycopy(key, 0, page, 0x880, key.length);

        var bench = FirmwareBench.initialised();
        long context = bench.active(FirmwareBench.POLICY, 1);
        assertEquals(FirmwareStatus.SUCCESS, finish(bench, context, digest, block, page));
        assertEquals(
                Bytes.of(MessageDigest.getInstance("SHA-384").digest(key)),
                new GuestContext(bench.memory, context).idKeyDigest(),
                "over all 1028 bytes");
        long other = bench.active(FirmwareBench.POLICY, 2);
        assertEquals(FirmwareStatus.BAD_MEASUREMENT, finish(bench, other, DIGEST, block, page));
    }

    private static void sign(KeyPair pair, byte[] content, byte[] target, int at) throws GeneralSecurityException {
        Signature signer = Signature.getInstance("SHA384withECDSAinP1363Format");
        signer.initSign(pair.getPrivate());
        signer.update(content);
        byte[] signature = signer.sign();
        littleEndian(new BigInteger(1, Arrays.copyOf(signature, 48)), target, at);
        littleEndian(new BigInteger(1, Arrays.copyOfRange(signature, 48, 96)), target, at + 72);
    }

    private static void littleEndian(BigInteger value, byte[] target, int at) {
        byte[] big = value.toByteArray();
        for (int i = 0; i < Math.min(48, big.length); i++) {
            target[at + i] = big[big.length - 1 - i];
        }
    }

    @Test
    void i3AnAuthenticatedLaunchFinishes() throws IOException {
        var bench = FirmwareBench.initialised();
        long context = bench.active(FirmwareBench.POLICY, 1);
        assertEquals(FirmwareStatus.SUCCESS, finish(bench, context, DIGEST, BLOCK, authentication()));
        assertEquals(
                ID_KEY_DIGEST,
                new GuestContext(bench.memory, context).idKeyDigest().hex());
    }

    @Test
    void i4AnyFlippedBitIsABadSignature() throws IOException {
        var bench = FirmwareBench.initialised();
        long context = bench.active(FirmwareBench.POLICY, 1);
        byte[] authentication = authentication();
        for (int bit = 0; bit < 8 * IdBlock.BYTES; bit++) {
            byte[] block = BLOCK.toArray();
            block[bit / 8] ^= (byte) (1 << bit % 8);
            assertEquals(
                    FirmwareStatus.BAD_SIGNATURE,
                    finish(bench, context, DIGEST, Bytes.of(block), authentication),
                    "bit " + bit);
        }
    }

    @Test
    void theBlockMustFitTheGuest() throws IOException {
        var bench = FirmwareBench.initialised();
        long other = bench.active(FirmwareBench.POLICY | 1 << 19, 1);
        assertEquals(FirmwareStatus.POLICY_FAILURE, finish(bench, other, DIGEST, BLOCK, authentication()));
        long context = bench.active(FirmwareBench.POLICY, 2);
        assertEquals(
                FirmwareStatus.BAD_MEASUREMENT,
                finish(bench, context, Bytes.of(new byte[48]), BLOCK, authentication()));
        byte[] author = authentication();
        author[0x240 + 4] ^= 1;
        assertEquals(FirmwareStatus.BAD_SIGNATURE, finish(bench, context, DIGEST, BLOCK, author), "not on the curve");
        byte[] unknown = authentication();
        unknown[0] = 2;
        assertEquals(FirmwareStatus.INVALID_PARAM, finish(bench, context, DIGEST, BLOCK, unknown));
        var strict =
                new FirmwareBench(Rules.standard().with(Rule.KEY_ALGORITHM_IS_PARAM), FirmwareBench.config()).init();
        assertEquals(
                FirmwareStatus.INVALID_CERTIFICATE,
                finish(strict, strict.active(FirmwareBench.POLICY, 1), DIGEST, BLOCK, unknown));
    }
}
