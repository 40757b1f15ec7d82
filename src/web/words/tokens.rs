//! What the pages say of the list, a token's tile, and the forms that add and change one.
