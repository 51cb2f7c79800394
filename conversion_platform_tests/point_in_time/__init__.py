"""The rules of `lake/point_in_time.sql` on their boundaries, through everything that uses them."""
