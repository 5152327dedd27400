package dsaring

//go:generate sh -c "cd ../asm && go run ./dsabytes -out ../dsaring"
