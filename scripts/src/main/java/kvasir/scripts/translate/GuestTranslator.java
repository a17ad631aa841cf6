package kvasir.scripts.translate;

import kvasir.grammar.Statement;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.LiteralNode;

/** {@code guest name = asm64 { ... }}. */
final class GuestTranslator {
    private GuestTranslator() {}

    static ExpressionNode node(Statement.Guest guest, ExpressionTranslator expressions) {
        return new LiteralNode(guest.span(), false);
    }
}
