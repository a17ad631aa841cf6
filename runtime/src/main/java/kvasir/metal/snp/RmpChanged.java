package kvasir.metal.snp;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * An RMP entry got another value.
 *
 * @param spa first byte of the page
 * @param cause the instruction or firmware command
 */
public record RmpChanged(long spa, RmpEntry before, RmpEntry after, String cause) implements Event {
    @Override
    public Topic topic() {
        long bytes = before.size() == PageSize.SIZE_2M
                ? PageSize.SIZE_2M.bytes()
                : after.size().bytes();
        return Topic.of(Rmp.SPACE, spa, bytes);
    }

    @Override
    public String describe() {
        return "rmp[0x%x] %s -> %s by %s".formatted(spa, before.describe(), after.describe(), cause);
    }
}
