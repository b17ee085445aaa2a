"""A copy under another name works on itself: what the server wrote of its views and tables is said anew, where sure."""

from __future__ import annotations

import pytest

from dbwatch.core.backups.renaming import renamed
from dbwatch.core.backups.sections import Picker, Wanted

BEGIN = rb"""-- MariaDB dump
--
-- Current Database: `shop`
--

USE `shop`;
--
-- Table structure for table `a`
--
CREATE TABLE `a` (
  `id` int(11) NOT NULL DEFAULT nextval(`shop`.`sq`) COMMENT 'nextval(`shop`.`sq`)'
);
--
-- Dumping data for table `a`
--
INSERT INTO `a` VALUES
(1,'/*!50001 VIEW `v` AS select `shop`.`a`'),
(2,'nextval(`shop`.`sq`)');
--
-- Final view structure for view `v`
--
/*!50013 DEFINER=`shop`@`localhost` SQL SECURITY DEFINER */
"""
VIEW = (
    b"/*!50001 VIEW `v` AS select `shop`.`a`.`id` AS `shop`,'it''s `shop`.' AS `x` from (`shop`.`a` join `o`.`b`)*/;\n"
)
END = b"/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"


@pytest.mark.parametrize("cut", [0, len(BEGIN), len(BEGIN) + len(VIEW)])
def test_a_copys_views_and_defaults_work_on_the_copy_and_values_stay(cut: int) -> None:
    picker, dump = Picker(Wanted("shop", into="copy")), BEGIN + VIEW + END

    text = picker.lines(dump[:cut]) + picker.lines(dump[cut:])

    assert b"DEFAULT nextval(`copy`.`sq`) COMMENT 'nextval(`shop`.`sq`)'" in text
    assert b"(1,'/*!50001 VIEW `v` AS select `shop`.`a`'),\n(2,'nextval(`shop`.`sq`)');" in text
    assert b"DEFINER=`shop`@`localhost`" in text
    assert b"select `copy`.`a`.`id` AS `shop`,'it''s `shop`.' AS `x` from (`copy`.`a` join `o`.`b`)" in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"from (`shop`.`shop` join `o`.`b`)", b"from (`copy`.`shop` join `o`.`b`)"),
        (b"select `shop`.`f`(`t`.`shop`)", b"select `copy`.`f`(`t`.`shop`)"),
        (b"select `shop`.`id` from (`o`.`b` `shop` join `shop`.`a`)", None),  # an alias: which is which?
        (b"select `t`.`id` AS `a``shop` from `t`", None),
    ],
)
def test_a_name_that_may_be_an_alias_is_left(said: bytes, expected: bytes | None) -> None:
    line = b"/*!50001 VIEW `shop` AS " + said + b"*/;\n"

    assert renamed(line, b"`shop`", b"`copy`") == (line if expected is None else line.replace(said, expected))
