let 1 = 2
