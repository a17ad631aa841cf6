package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The other end of the wire: 10.0.2.2, which answers ARP for its address (RFC 826), ICMP echo (RFC 792) and UDP to the
 * echo port 7 (RFC 862), and nothing else.
 */
final class EchoPeer {
    private static final byte[] MAC = {0x52, 0x55, 10, 0, 2, 2};
    private static final int ADDRESS = 0x0a00_0202;
    private static final int ETHERNET = 14;
    private static final int TYPE_ARP = 0x0806;
    private static final int TYPE_IP = 0x0800;
    private static final int ARP_BYTES = 28;
    private static final int ICMP = 1;
    private static final int UDP = 17;
    private static final int ECHO_PORT = 7;

    /** The frame that answers {@code frame}. */
    Optional<byte[]> answer(byte[] frame) {
        if (frame.length < ETHERNET) {
            return Optional.empty();
        }
        byte[] reply = frame.clone();
        System.arraycopy(frame, 6, reply, 0, 6);
        System.arraycopy(MAC, 0, reply, 6, 6);
        ByteBuffer packet = ByteBuffer.wrap(reply);
        boolean answered = switch (packet.getShort(12) & 0xffff) {
            case TYPE_ARP -> arp(packet);
            case TYPE_IP -> ip(packet);
            default -> false;
        };
        return answered ? Optional.of(reply) : Optional.empty();
    }

    private static boolean arp(ByteBuffer packet) {
        if (packet.capacity() < ETHERNET + ARP_BYTES
                || packet.getShort(ETHERNET + 6) != 1
                || packet.getInt(ETHERNET + 24) != ADDRESS) {
            return false;
        }
        packet.putShort(ETHERNET + 6, (short) 2);
        var asker = new byte[10];
        packet.get(ETHERNET + 8, asker);
        packet.put(ETHERNET + 8, MAC).putInt(ETHERNET + 14, ADDRESS).put(ETHERNET + 18, asker);
        return true;
    }

    private static boolean ip(ByteBuffer packet) {
        int header = (packet.get(ETHERNET) & 0xf) * 4;
        int body = ETHERNET + header;
        if (header < 20 || packet.capacity() < body + 8 || packet.getInt(ETHERNET + 16) != ADDRESS) {
            return false;
        }
        packet.putInt(ETHERNET + 16, packet.getInt(ETHERNET + 12)).putInt(ETHERNET + 12, ADDRESS);
        // source and destination are swapped, so the header's checksum stays right
        return switch (packet.get(ETHERNET + 9)) {
            case ICMP -> echo(packet, body);
            case UDP -> datagram(packet, body);
            default -> false;
        };
    }

    private static boolean echo(ByteBuffer packet, int body) {
        if (packet.get(body) != 8) {
            return false;
        }
        packet.put(body, (byte) 0);
        // RFC 1624: the type went from 8 to 0
        int checksum = (packet.getShort(body + 2) & 0xffff) + 0x0800;
        packet.putShort(body + 2, (short) (checksum + (checksum >>> 16)));
        return true;
    }

    private static boolean datagram(ByteBuffer packet, int body) {
        if ((packet.getShort(body + 2) & 0xffff) != ECHO_PORT) {
            return false;
        }
        packet.putShort(body + 2, packet.getShort(body)).putShort(body, (short) ECHO_PORT);
        return true;
    }
}
